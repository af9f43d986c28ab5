//! The `manutop` binary: hands over to [`manutop::cli`].

use std::alloc::System;

use zeroizing_alloc::ZeroAlloc;

/// Wipes all memory that is freed, by libraries, too: the buffers of TLS, HTTP and JSON, and what a growing
/// buffer leaves behind. What is in memory is what is still in use.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> std::process::ExitCode {
    manutop::cli::main()
}

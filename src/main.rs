//! The `manutop` binary: hands over to [`manutop::cli`].

fn main() -> std::process::ExitCode {
    manutop::cli::main()
}

//! File work on a blocking task, so that a slow disk stalls no other task.

use crate::secrets::error::StoreError;

/// Runs `work` on a blocking task.
pub(crate) async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(StoreError::unavailable("the program is shutting down")),
    }
}

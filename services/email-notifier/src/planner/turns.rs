//! Who plans when: breaking news at once, all else so that a planner is always free for it.

use std::sync::Arc;
use std::time::Duration;

use article::Article;
use bus::Disposition;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What else is planned at one time, beside one alert: with that it is one planner fewer than there are.
const OTHERS: usize = 2;

/// How long a turn is waited for. Whoever waited longer would keep a planner from breaking news.
const WITHIN: Duration = Duration::from_millis(10);

/// Until whoever got none comes again.
pub(super) const AGAIN: Duration = Duration::from_millis(100);

/// Of one process. Two alerts that count against the same caps are planned one after the other; for two processes the log
/// sees to it.
#[derive(Debug, Clone)]
pub(crate) struct Turns {
    alerts: Arc<Semaphore>,
    others: Arc<Semaphore>,
}

impl Turns {
    pub(crate) fn new() -> Self {
        Self { alerts: Arc::new(Semaphore::new(1)), others: Arc::new(Semaphore::new(OTHERS)) }
    }

    /// To plan an alert that is not breaking news.
    pub(crate) async fn of_alerts(&self) -> Result<OwnedSemaphorePermit, Disposition> {
        taken(&self.alerts).await
    }

    /// To plan a notice or an update; `None`: it needs none.
    pub(super) async fn of_others(&self, article: &Article) -> Result<Option<OwnedSemaphorePermit>, Disposition> {
        if article.is_breaking() { Ok(None) } else { taken(&self.others).await.map(Some) }
    }
}

async fn taken(turns: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Disposition> {
    match tokio::time::timeout(WITHIN, turns.clone().acquire_owned()).await {
        Ok(Ok(turn)) => Ok(turn),
        Ok(Err(_)) | Err(_) => Err(Disposition::Retry(AGAIN)),
    }
}

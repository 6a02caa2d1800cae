//! What is counted of articles, feeds and documents.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use service_kit::Metrics;

#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    pub(crate) refused: Counter,
    pub(crate) articles: Gauge,
    pub(crate) feeds: Gauge,
    pub(crate) documents: Gauge,
    pub(crate) bytes: Gauge,
}

impl Counts {
    pub(crate) fn register(&self, metrics: &Metrics) {
        let Self { refused, articles, feeds, documents, bytes } = self.clone();
        let refused_help = "Documents that were written and could not be read back: the last good one stays";
        metrics.register("documents_refused", refused_help, refused);
        metrics.register("articles", "Articles in the log, as far as it was read", articles);
        metrics.register("feeds_live", "Selections whose feeds are kept up", feeds);
        metrics.register("documents", "Documents that are served from memory", documents);
        metrics.register(
            "documents_bytes",
            "Memory of documents and what they are written from, when it was last looked whether there is room",
            bytes,
        );
    }
}

//! What a newsroom asks about its mail, over the bus: the publisher has checked who asks and whose the article is.

mod because;
pub(crate) mod ledger;
mod reach;
mod why;

use std::sync::Arc;

use article::{Article, ArticleId, PublisherId};
use bus::Bus;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

pub use self::because::{Because, Near};
use self::ledger::Summary;
use self::reach::Reach;
pub(crate) use self::why::{Records, told};
pub use self::why::{Sent, Told};
use crate::control::{Control, Order};
use crate::digest::news::News;
use crate::orders::{self, NotDone, Owner};
use crate::readers::Readers;
use crate::store::Store;

/// Records read at one time.
const AT_ONCE: usize = 16;

#[derive(Debug, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
enum Question {
    /// What became of all mail about an article.
    Ledger { publisher: PublisherId, article: ArticleId },
    /// What became of a digest: the operator's question, for it is of many newsrooms' articles.
    Digest { plan: String },
    /// What an address was sent of an article.
    Why { publisher: PublisherId, article: ArticleId, address: String },
    /// Whom an article would reach.
    Reach { of: Of },
    /// What is to become of a plan.
    Control {
        /// `None`: the operator's.
        #[serde(default)]
        owner: Option<Owner>,
        plan: String,
        order: Order,
        by: String,
    },
}

/// Of what the reach is asked.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Of {
    Article(Box<Article>),
    Selection { publisher: PublisherId, selection: String },
}

#[derive(Debug, Serialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
enum Answer {
    Ledger {
        plans: Vec<Summary>,
    },
    Why {
        plans: Vec<Sent>,
    },
    Reach(Reach),
    Control {
        control: Control,
    },
    NoSuchPlan,
    Refused {
        detail: String,
    },
    /// The question cannot be answered as it stands, and why.
    Invalid {
        problem: String,
    },
    /// A record cannot be read now, or at all.
    Unavailable,
}

/// Answers newsrooms.
#[derive(Clone)]
pub(crate) struct Asks {
    pub bus: Bus,
    pub readers: Arc<Readers>,
    pub store: Store,
    pub news: Arc<News>,
}

impl Asks {
    /// The answer to a question; `None` to what is none.
    pub(crate) async fn answer(&self, question: &[u8]) -> Option<Bytes> {
        let answer = match serde_json::from_slice(question).ok()? {
            Question::Ledger { publisher, article } => {
                let plans = ledger::plans(&self.bus, &publisher, article).await;
                read(&article, plans.map(|plans| Answer::Ledger { plans }))
            }
            Question::Digest { plan } => {
                let found = ledger::digest(&self.bus, &plan).await;
                let answer = |plan: Option<Summary>| {
                    plan.map_or(Answer::NoSuchPlan, |plan| Answer::Ledger { plans: vec![plan] })
                };
                read(&plan, found.map(answer))
            }
            Question::Why { publisher, article, address } => match address.parse() {
                Ok(address) => {
                    let records = Records { bus: &self.bus, store: &self.store, news: &self.news };
                    let sent = why::outcomes(&records, &publisher, article, &address).await;
                    read(&article, sent.map(|plans| Answer::Why { plans }))
                }
                Err(problem) => invalid(&problem),
            },
            Question::Reach { of: Of::Article(article) } => {
                Answer::Reach(self.readers.reach(&article, service_kit::now()))
            }
            Question::Reach { of: Of::Selection { publisher, selection } } => {
                match self.readers.reach_of(&publisher, &selection, service_kit::now()) {
                    Ok(reach) => Answer::Reach(reach),
                    Err(problem) => invalid(&problem),
                }
            }
            Question::Control { owner, plan, order, by } => {
                match orders::give(&self.bus, &plan, owner.as_ref(), order, &by).await {
                    Ok(control) => Answer::Control { control },
                    Err(NotDone::NoSuchPlan) => Answer::NoSuchPlan,
                    Err(NotDone::Refused(refused)) => Answer::Refused { detail: refused.to_string() },
                    Err(NotDone::Unavailable(error)) => {
                        tracing::warn!(plan, error, "an order to a plan cannot be carried out");
                        Answer::Unavailable
                    }
                }
            }
        };
        Some(serde_json::to_vec(&answer).expect("an answer has string keys only").into())
    }
}

fn invalid(problem: &dyn std::fmt::Display) -> Answer {
    Answer::Invalid { problem: problem.to_string() }
}

fn read(about: &dyn std::fmt::Display, answer: Result<Answer, String>) -> Answer {
    answer.unwrap_or_else(|error| {
        tracing::warn!(%about, error, "a question about mail cannot be answered");
        Answer::Unavailable
    })
}

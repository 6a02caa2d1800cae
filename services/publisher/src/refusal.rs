//! Why a request was not carried out, and the problem document (RFC 9457) that says so.
//!
//! Every answer that is not a success is made here, so that a client meets one shape and one list of words.

mod response;

use article::{ArticleId, Problem, PublisherId};
use axum::http::StatusCode;
use serde_json::{Value, json};

use interchange::signature::BadSignature;

use crate::token::{Scope, Wait};

/// The prefix of every `type`; the words behind it are stable.
pub(crate) const TYPE_PREFIX: &str = "urn:newswire:problem:";

/// Why a request was not carried out. Nothing has changed then, except where it says so.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Refusal {
    NoSuchResource,
    MethodNotAllowed,
    NoToken,
    BadToken,
    /// The article in the body names a publisher that the token does not speak for.
    OtherPublisher {
        ours: PublisherId,
    },
    /// The token may not do this.
    Scope(Scope),
    /// The token has sent more than its rate allows, and has to wait this long.
    TooMany(Wait),
    NotJson,
    /// The body is compressed.
    Encoded,
    /// The request's body has more bytes than the limit: as many, if it says so.
    BodyTooLarge {
        limit: usize,
        sent: Option<u64>,
    },
    TooLarge(String),
    TooSlow,
    /// A parameter in the address that cannot be meant.
    BadQuery {
        parameter: String,
        detail: String,
    },
    /// A header that cannot be meant.
    BadHeader {
        header: &'static str,
        detail: String,
    },
    BadJson {
        line: usize,
        column: usize,
        detail: String,
    },
    Invalid(Vec<Problem>),
    /// What is asked about mail or readers cannot be asked so.
    Question(Vec<Problem>),
    NoSuchArticle,
    /// The article has no such plan of mail.
    NoSuchPlan,
    /// A plan of mail cannot be given this order, and why.
    Plan(String),
    /// No webhook takes anything at this address: never made, revoked, or none is configured.
    NoSuchWebhook,
    /// A webhook's request cannot be trusted.
    BadSignature(BadSignature),
    PreconditionRequired,
    /// Another revision is current than the one the client read.
    Stale {
        current: u32,
    },
    /// The lifecycle forbids it.
    Lifecycle(String),
    /// The key was used before, for another request.
    KeyReused {
        id: ArticleId,
        revision: u32,
    },
    /// The key was used before, and its request is no longer known.
    KeyForgotten {
        id: ArticleId,
        revision: u32,
    },
    /// Too many requests at once.
    Busy,
    /// Not everything has been read that must have been.
    Starting,
    /// The log could not be reached. Whether a write was stored is open.
    Unavailable,
    /// Nobody who knows of the mail has answered.
    NoMail,
    /// The log takes no more.
    Full,
    /// What is in the log cannot be read.
    Unreadable,
}

/// One refusal as HTTP says it.
struct Said {
    status: StatusCode,
    /// The stable word.
    word: &'static str,
    title: &'static str,
    detail: String,
    /// Further members of the document.
    more: Value,
}

impl Refusal {
    fn said(self) -> Said {
        match self {
            Self::NoSuchResource
            | Self::MethodNotAllowed
            | Self::NoSuchArticle
            | Self::NoSuchPlan
            | Self::NoSuchWebhook => self.about_address(),
            Self::NoToken
            | Self::BadToken
            | Self::BadSignature(_)
            | Self::OtherPublisher { .. }
            | Self::Scope(_)
            | Self::TooMany(_) => self.about_token(),
            Self::NotJson
            | Self::Encoded
            | Self::BodyTooLarge { .. }
            | Self::TooLarge(_)
            | Self::TooSlow
            | Self::BadQuery { .. }
            | Self::BadHeader { .. }
            | Self::BadJson { .. } => self.about_request(),
            Self::Busy | Self::Starting | Self::NoMail | Self::Unavailable | Self::Full | Self::Unreadable => {
                self.about_us()
            }
            _ => self.about_article(),
        }
    }

    fn about_address(self) -> Said {
        use StatusCode as S;
        match self {
            Self::MethodNotAllowed => said(
                S::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "Method not allowed",
                "this address does not take that method; Allow says which it takes",
            ),
            Self::NoSuchArticle => said(
                S::NOT_FOUND,
                "no-such-article",
                "No such article",
                "you have no article with this id; an id looks like 0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f",
            ),
            Self::NoSuchPlan => said(
                S::NOT_FOUND,
                "no-such-plan",
                "No such plan",
                "the article has no plan of mail of this name; GET /v1/articles/{id}/mail says which it has",
            ),
            Self::NoSuchWebhook => said(
                S::NOT_FOUND,
                "no-such-webhook",
                "No such webhook",
                "it was never made or is revoked, or this deployment takes none; `newswire webhook list` shows those there are",
            ),
            _ => {
                said(S::NOT_FOUND, "not-found", "Not found", "there is nothing here; /v1/docs describes what there is")
            }
        }
    }

    fn about_token(self) -> Said {
        use StatusCode as S;
        match self {
            Self::BadSignature(fault) => said(
                S::UNAUTHORIZED,
                "bad-signature",
                "The webhook's signature is not good",
                fault.to_string(),
            ),
            Self::OtherPublisher { ours } => said(
                S::FORBIDDEN,
                "other-publisher",
                "Another publisher's article",
                format!("your token speaks for {ours}; leave publisher out, or use a token of that publisher"),
            )
            .with(json!({ "errors": [{
                "pointer": "/publisher", "code": "other_publisher", "detail": format!("your token speaks for {ours}"),
            }] })),
            Self::Scope(needed) => said(
                S::FORBIDDEN,
                "scope",
                "The token may not do this",
                format!(
                    "it needs the scope {0}; ask whoever runs this service for a token that has it \
                     (`newswire token create --scope {0} …`). GET /v1/token says what yours may",
                    needed.as_str()
                ),
            )
            .with(json!({ "scope": needed })),
            Self::TooMany(Wait { rate, burst, until }) => said(
                S::TOO_MANY_REQUESTS,
                "too-many-requests",
                "Too many requests with this token",
                format!("it may send {rate} a second, {burst} at once; nothing was changed, send this one again after Retry-After"),
            )
            // Whole seconds, and none of them too early.
            .with(json!({ "rate": rate, "burst": burst, "retry_after": until.as_millis().div_ceil(1000).max(1) as u64 })),
            Self::NoToken => said(
                S::UNAUTHORIZED,
                "no-token",
                "A token is required",
                "send Authorization: Bearer nwt_…; whoever runs this service makes tokens with `newswire token create`",
            ),
            _ => said(
                S::UNAUTHORIZED,
                "bad-token",
                "The token is not good",
                "it is unknown or revoked; check that it was copied whole, or ask for a new one",
            ),
        }
    }

    fn about_request(self) -> Said {
        use StatusCode as S;
        let too_large = |detail| said(S::PAYLOAD_TOO_LARGE, "too-large", "Too large", detail);
        match self {
            Self::BodyTooLarge { limit, sent } => {
                let sent = sent.map_or_else(|| "this one has more".to_owned(), |sent| format!("this one has {sent}"));
                too_large(format!("a request may have {limit} bytes, {sent}; send pictures and files as links"))
                    .with(json!({ "limit": limit }))
            }
            Self::TooLarge(detail) => too_large(detail),
            Self::TooSlow => said(
                S::REQUEST_TIMEOUT,
                "too-slow",
                "The request took too long",
                "it did not arrive whole within 30 seconds; send it again, with the same Idempotency-Key",
            ),
            Self::BadQuery { parameter, detail } => {
                said(S::BAD_REQUEST, "bad-query", "The address cannot be read", format!("{parameter}: {detail}"))
                    .with(json!({ "parameter": parameter }))
            }
            Self::BadHeader { header, detail } => {
                said(S::BAD_REQUEST, "bad-header", "A header cannot be read", format!("{header}: {detail}"))
            }
            Self::BadJson { line, column, detail } => said(
                S::BAD_REQUEST,
                "bad-json",
                "The body is not JSON",
                format!("line {line}, column {column}: {detail}"),
            )
            .with(json!({ "line": line, "column": column })),
            Self::Encoded => said(
                S::UNSUPPORTED_MEDIA_TYPE,
                "encoded",
                "The body must not be compressed",
                "send the JSON as it is, without Content-Encoding; nothing is unpacked here",
            ),
            _ => said(
                S::UNSUPPORTED_MEDIA_TYPE,
                "not-json",
                "The body must be JSON",
                "send Content-Type: application/json; other encodings than UTF-8 are not read",
            ),
        }
    }

    fn about_article(self) -> Said {
        use StatusCode as S;
        match self {
            Self::Invalid(errors) => mistakes("invalid-article", "The article has mistakes", &errors),
            Self::Question(errors) => mistakes("invalid-question", "The question has mistakes", &errors),
            Self::Stale { current } => said(
                S::PRECONDITION_FAILED,
                "stale",
                "The article has changed since you read it",
                format!("revision {current} is current; read it, put your change into it and send it with its ETag"),
            )
            .with(json!({ "current_revision": current })),
            Self::Plan(detail) => said(S::CONFLICT, "plan-state", "Not possible with this plan", detail),
            Self::Lifecycle(detail) => said(S::CONFLICT, "lifecycle", "Not possible in this state", detail),
            Self::KeyReused { id, revision } => said(
                S::UNPROCESSABLE_ENTITY,
                "key-reused",
                "The Idempotency-Key was used for another request",
                "it made an article with other content; use a new key for a new article, PUT to change that one",
            )
            .with(json!({ "article": id, "current_revision": revision })),
            Self::KeyForgotten { id, revision } => said(
                S::CONFLICT,
                "exists",
                "The article exists already",
                format!("this Idempotency-Key made it; it is at revision {revision}, its first one is no longer kept"),
            )
            .with(json!({ "article": id, "current_revision": revision })),
            _ => said(
                S::PRECONDITION_REQUIRED,
                "precondition-required",
                "If-Match is required",
                "send If-Match with the ETag of the revision you changed, so that nobody's work is overwritten",
            ),
        }
    }

    fn about_us(self) -> Said {
        use StatusCode as S;
        match self {
            Self::Busy => said(
                S::SERVICE_UNAVAILABLE,
                "busy",
                "Too many requests at once",
                "nothing was changed; send the request again after Retry-After",
            ),
            Self::Starting => said(
                S::SERVICE_UNAVAILABLE,
                "starting",
                "Starting",
                "the service is still starting; try again in a moment",
            ),
            Self::NoMail => said(
                S::SERVICE_UNAVAILABLE,
                "mail-unavailable",
                "What became of the mail is not known now",
                "no email-notifier has answered: none runs, it is still starting, or it cannot read its records. Ask again after Retry-After",
            ),
            Self::Full => said(
                S::INSUFFICIENT_STORAGE,
                "store-full",
                "The article could not be stored",
                "the store refused it; nothing was published. Whoever runs this service must make room",
            ),
            Self::Unreadable => said(
                S::INTERNAL_SERVER_ERROR,
                "unreadable",
                "The stored article cannot be read",
                "it was written by a newer version or is damaged; whoever runs this service finds the reason in its log",
            ),
            _ => said(
                S::SERVICE_UNAVAILABLE,
                "store-unavailable",
                "The store cannot be reached",
                "it could not be confirmed that the request was carried out. Send it again after Retry-After: with the same \
                 Idempotency-Key (POST) or If-Match (PUT) that is safe, it is carried out once",
            ),
        }
    }
}

fn said(status: StatusCode, word: &'static str, title: &'static str, detail: impl Into<String>) -> Said {
    Said { status, word, title, detail: detail.into(), more: Value::Null }
}

/// All of them at once, each with its place in the body.
fn mistakes(word: &'static str, title: &'static str, errors: &[Problem]) -> Said {
    let detail = match errors {
        [only] => only.to_string(),
        all => format!("{} mistakes; errors lists them all", all.len()),
    };
    said(StatusCode::UNPROCESSABLE_ENTITY, word, title, detail).with(json!({ "errors": errors }))
}

impl Said {
    fn with(mut self, more: Value) -> Self {
        self.more = more;
        self
    }
}

//! Any sequence of commands, on real parts: after each one the log, the feeds and the mailboxes stand as the table of
//! the lifecycle says. The table is written down here a second time, on purpose.

use std::collections::BTreeSet;

use article::ArticleId;
use serde_json::{Value, json};
use testkit::eventually;

use crate::newsroom::{Newsroom, Service};

const READERS: [&str; 2] = ["one@example.org", "two@example.net"];

/// Articles that live side by side, and commands each is given.
const ARTICLES: usize = 16;
const STEPS: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Minor,
    Major,
    Correction,
    Hold,
    Release,
    Withdraw,
    Kill,
    Reinstate,
}

const ALL: [Step; 8] = [
    Step::Minor,
    Step::Major,
    Step::Correction,
    Step::Hold,
    Step::Release,
    Step::Withdraw,
    Step::Kill,
    Step::Reinstate,
];

impl Step {
    fn word(self) -> &'static str {
        match self {
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Correction => "correction",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Withdraw => "withdraw",
            Self::Kill => "kill",
            Self::Reinstate => "reinstate",
        }
    }

    /// Whether it brings a whole text.
    fn is_text(self) -> bool {
        matches!(self, Self::Minor | Self::Major | Self::Correction | Self::Reinstate)
    }
}

/// What must be true of one article.
#[derive(Debug, Clone)]
struct Model {
    n: usize,
    id: String,
    status: &'static str,
    revision: u32,
    headline: String,
    /// Whether readers have ever seen it.
    public: bool,
    /// Corrections nobody has been told about yet: they were made while the article was held.
    untold: usize,
    alerts: usize,
    notices: usize,
    steps: Vec<Step>,
}

impl Model {
    /// The status that `step` leads to, if it is legal.
    fn leads_to(&self, step: Step) -> Option<&'static str> {
        match (self.status, step) {
            ("published" | "held" | "embargoed", Step::Minor | Step::Major) => Some(self.status),
            ("published" | "held", Step::Correction) => Some(self.status),
            ("published", Step::Hold) => Some("held"),
            ("held" | "embargoed", Step::Release) => Some("published"),
            ("published" | "held", Step::Withdraw) => Some("withdrawn"),
            ("embargoed" | "published" | "held" | "withdrawn", Step::Kill) => Some("killed"),
            ("withdrawn" | "killed", Step::Reinstate) => Some("published"),
            _ => None,
        }
    }

    fn take(&mut self, step: Step) {
        let Some(status) = self.leads_to(step) else { return };
        self.revision += 1;
        if step.is_text() {
            self.headline = headline(self.n, self.revision);
        }
        self.status = status;
        match step {
            Step::Correction => self.untold += 1,
            // Whoever is told that the story is gone need not hear what was wrong in it.
            Step::Withdraw | Step::Kill => {
                self.untold = 0;
                self.notices += usize::from(self.public);
            }
            Step::Reinstate => self.untold = 0,
            _ => {}
        }
        if status == "published" {
            self.public = true;
            self.alerts = 1;
            self.notices += std::mem::take(&mut self.untold);
        }
        self.steps.push(step);
    }
}

fn headline(n: usize, revision: u32) -> String {
    format!("故事 {n} — revision {revision} & قصة")
}

fn text(n: usize, revision: u32) -> Value {
    json!({
        "headline": headline(n, revision),
        "body_text": format!("Text {revision} of story {n}."),
        "language": "en",
        "section": ["Harbour"],
    })
}

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    (status, answer.json().await.expect("JSON"))
}

async fn create(room: &Newsroom, n: usize) -> Model {
    let mut draft = text(n, 1);
    let embargoed = n.is_multiple_of(4);
    if embargoed {
        draft["embargoed_until"] = json!("2126-01-01T00:00:00Z");
    }
    let request = room.http.post(room.url(Service::Publisher, "v1/articles")).bearer_auth(&room.token).json(&draft);
    let (code, article) = answer(request).await;
    assert_eq!(code, 201, "{article}");
    let public = !embargoed;
    Model {
        n,
        id: article["id"].as_str().expect("an id").to_owned(),
        status: if embargoed { "embargoed" } else { "published" },
        revision: 1,
        headline: headline(n, 1),
        public,
        untold: 0,
        alerts: usize::from(public),
        notices: 0,
        steps: Vec::new(),
    }
}

fn address(room: &Newsroom, id: &str) -> String {
    let id: ArticleId = id.parse().expect("an id");
    room.url(Service::Publisher, &format!("v1/articles/{}", id.token()))
}

/// Gives the command and expects what the table says.
async fn command(room: &Newsroom, model: &mut Model, step: Step) {
    let url = address(room, &model.id);
    let base = format!("\"{}\"", model.revision);
    let request = if step.is_text() {
        let mut draft = text(model.n, model.revision + 1);
        // A text without the embargo would end it.
        if model.status == "embargoed" {
            draft["embargoed_until"] = json!("2126-01-01T00:00:00Z");
        }
        draft["change"] = json!({ "kind": step.word(), "note": "We wrote something else before." });
        room.http.put(&url).json(&draft)
    } else {
        room.http.post(format!("{url}/changes")).json(&json!({ "kind": step.word(), "note": "The editor says so." }))
    };
    let (code, said) = answer(request.bearer_auth(&room.token).header("If-Match", base)).await;
    let legal = model.leads_to(step).is_some();
    assert_eq!(code == 200, legal, "{step:?} after {model:?}: {code} {said}");
    assert!(legal || code == 409, "{step:?} after {model:?}: {code} {said}");
    model.take(step);
}

/// The log says what the fold of the commands says.
async fn check_log(room: &Newsroom, model: &Model) {
    let (code, article) = answer(room.http.get(address(room, &model.id)).bearer_auth(&room.token)).await;
    assert_eq!(code, 200, "{model:?}: {article}");
    let seen = (article["status"].as_str(), article["revision"].as_u64(), article["headline"].as_str());
    let wanted = (Some(model.status), Some(u64::from(model.revision)), Some(model.headline.as_str()));
    assert_eq!(seen, wanted, "{model:?}");
    assert_eq!(article["body"].is_null(), model.status == "killed", "{model:?}");
}

/// Each article is in the feed exactly as its state demands.
async fn check_feeds(room: &Newsroom, models: &[Model]) -> Result<(), String> {
    for format in ["json", "atom", "rss"] {
        let feed = room.feed(&format!("feeds/all.{format}")).await?;
        let parsed = feed_rs::parser::parse(feed.as_bytes()).map_err(|error| error.to_string())?;
        for model in models {
            let entries: Vec<_> = parsed.entries.iter().filter(|entry| entry.id == model.id).collect();
            let shown = matches!(model.status, "published" | "withdrawn" | "killed") && model.public;
            if entries.len() != usize::from(shown) {
                return Err(format!("{format}: {} entries of {model:?}", entries.len()));
            }
            let Some(entry) = entries.first() else { continue };
            let title = entry.title.as_ref().map(|title| title.content.as_str()).unwrap_or_default();
            let is_notice = title != model.headline;
            if !title.ends_with(&model.headline) || is_notice == (model.status == "published") {
                return Err(format!("{format}: {title:?} for {model:?}"));
            }
            let text = format!("of story {}.", model.n);
            let whole = format!("{entry:?}");
            if whole.contains(&text) != (model.status == "published") {
                return Err(format!("{format}: the text of {model:?} is in the wrong place: {whole}"));
            }
        }
    }
    Ok(())
}

/// Every reader has one alert of what was ever public, and a notice of what happened to it then.
fn check_mails(room: &Newsroom, models: &[Model]) -> Result<(), String> {
    for model in models {
        for reader in READERS {
            let mails = room.alerts(reader, &model.id);
            let notices = mails.iter().filter(|mail| mail.header("In-Reply-To").is_some()).count();
            let alerts = mails.len() - notices;
            if (alerts, notices) != (model.alerts, model.notices) {
                return Err(format!("{alerts} alerts, {notices} notices to {reader} about {model:?}"));
            }
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn log_feeds_and_mail_follow_any_sequence_of_commands() {
    let seed = std::env::var("NEWSWIRE_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_123);
    println!("NEWSWIRE_TEST_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let room = Newsroom::start(vec![]).await;
    for reader in READERS {
        room.subscribe(reader, "all").await;
    }
    let mut models = Vec::new();
    for n in 0..ARTICLES {
        models.push(create(&room, n).await);
    }
    let mut taken = BTreeSet::new();
    for _ in 0..=STEPS {
        room.settled().await;
        for model in &models {
            check_log(&room, model).await;
        }
        eventually("the feeds say what the table says", async || check_feeds(&room, &models).await).await;
        eventually("the mailboxes hold what the table says", async || check_mails(&room, &models)).await;
        for model in &mut models {
            // Mostly what is legal, or the tail of every sequence would be refusals.
            let legal: Vec<Step> = ALL.into_iter().filter(|step| model.leads_to(*step).is_some()).collect();
            let step =
                if random.u8(..5) == 0 { ALL[random.usize(..ALL.len())] } else { legal[random.usize(..legal.len())] };
            taken.insert((model.status, step.word()));
            command(&room, model, step).await;
        }
    }
    // The sequences must have gone somewhere: most of the table's 40 cells.
    assert!(taken.len() >= 25, "only {taken:?}");
}

/// What each writer believes it has written is in the history, once.
#[tokio::test(flavor = "multi_thread")]
async fn writers_racing_on_one_article_lose_no_revision() {
    const WRITERS: usize = 4;
    const EACH: usize = 12;
    let room = Newsroom::start(vec![]).await;
    let model = create(&room, 1).await;
    let (room, url) = (&room, address(&room, &model.id));
    let url = url.as_str();
    let writing = (0..WRITERS).map(|writer| async move {
        let mut mine = Vec::new();
        while mine.len() < EACH {
            let (_, current) = answer(room.http.get(url).bearer_auth(&room.token)).await;
            let base = current["revision"].as_u64().expect("a revision");
            let mut draft = text(1, 1);
            draft["slugline"] = json!(format!("writer-{writer}-{}", mine.len()));
            draft["change"] = json!({ "kind": "minor" });
            let request = room.http.put(url).bearer_auth(&room.token).header("If-Match", format!("\"{base}\""));
            match answer(request.json(&draft)).await {
                (200, article) => {
                    assert_eq!(article["slugline"], draft["slugline"]);
                    assert_eq!(article["revision"], base + 1);
                    mine.push(base + 1);
                }
                (412, _) => {}
                (code, said) => panic!("{code}: {said}"),
            }
        }
        mine
    });
    let all: Vec<u64> = futures::future::join_all(writing).await.into_iter().flatten().collect();
    let distinct: BTreeSet<u64> = all.iter().copied().collect();
    let last = (WRITERS * EACH) as u64 + 1;
    assert_eq!(all.len(), distinct.len(), "two writers made the same revision");
    assert_eq!(distinct, (2..=last).collect());
    let (_, current) = answer(room.http.get(url).bearer_auth(&room.token)).await;
    assert_eq!(current["revision"], last);
}

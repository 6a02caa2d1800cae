//! `newswire subscribers export`: whoever is confirmed, page by page. A file appears when it is whole.

use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use bus::Bus;
use email_notifier::subscribers::{Page, Question};
use indicatif::ProgressBar;

use super::ask;
use super::sheet::SheetWriter;
use crate::output::{self, count};
use crate::server;

pub(super) async fn run(file: Option<&Path>) -> anyhow::Result<ExitCode> {
    let bus = server::connect().await?;
    let Some(path) = file else {
        let (_, whole) = write(&bus, std::io::stdout().lock()).await?;
        return Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Readable by its owner alone, from the first byte.
    let draft =
        tempfile::NamedTempFile::new_in(folder).with_context(|| format!("{} is not writable", folder.display()))?;
    let (rows, whole) = write(&bus, BufWriter::new(draft.as_file())).await?;
    draft.as_file().sync_all()?;
    draft.persist(path).with_context(|| format!("{} cannot be written", path.display()))?;
    output::print(&format!("{} in {}\n", count(rows, "subscription"), path.display()))?;
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How many rows there were, and whether that is everybody.
async fn write(bus: &Bus, out: impl Write) -> anyhow::Result<(usize, bool)> {
    let mut sheet = SheetWriter::new(out)?;
    let bar = if std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        ProgressBar::new_spinner()
    } else {
        ProgressBar::hidden()
    };
    let (mut after, mut rows, mut unreadable) = (0, 0, 0);
    loop {
        let page: Page = ask(bus, &Question::Export { after }).await?;
        rows += page.rows.len();
        unreadable += page.unreadable;
        for row in page.rows {
            sheet.write(row)?;
        }
        bar.set_message(count(rows, "subscription"));
        bar.tick();
        match page.next {
            Some(next) => after = next,
            None => break,
        }
    }
    bar.finish_and_clear();
    sheet.finish()?.flush()?;
    if unreadable > 0 {
        output::complain(&format!(
            "{unreadable} subscribers are left out: their records do not read; see the log of email-notifier\n"
        ));
    }
    Ok((rows, unreadable == 0))
}

//! `newswire provision`: a server as this version needs it.

use std::process::ExitCode;

use anyhow::Context;
use bus::{Bus, Drift, ProvisionError, Provisioned};
use topology::{CONSUMERS, SERVICES, STREAMS, access};

use crate::output::{self, Table};
use crate::{Usage, server};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Copies of every stream: 1, or 3 or 5 in a cluster. Needed to change a server that has streams already
    #[arg(long, value_name = "N", value_parser = ["1", "3", "5"])]
    replicas: Option<String>,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let bus = server::connect().await?;
    let replicas = match args.replicas {
        Some(replicas) => Some(replicas.parse::<usize>()?),
        None => replicas_for(&differences(&bus).await?)?,
    };
    let Some(replicas) = replicas else {
        output::print("everything is as this version needs it\n")?;
        return Ok(ExitCode::SUCCESS);
    };
    let mut table = Table::new();
    for done in bus.provision(STREAMS, CONSUMERS, replicas).await? {
        match done {
            Provisioned::Created(what) => table.row(["created", &what]),
            Provisioned::Updated(what) => table.row(["updated", &what]),
            Provisioned::Unchanged(what) => table.row(["unchanged", &what]),
        }
    }
    output::print(&table.to_string())?;
    let left = differences(&bus).await?;
    if left.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    output::complain(&format!(
        "newswire: the server cannot be brought to this, see its documentation:\n{}",
        list(&left)
    ));
    Ok(ExitCode::FAILURE)
}

/// How many copies to make when nobody said; `None` when nothing is to be done.
///
/// A server that has some of the streams may keep three copies of them: to bring it on with the default of one would
/// quietly take two away.
fn replicas_for(differences: &[Drift]) -> Result<Option<usize>, Usage> {
    if differences.is_empty() {
        return Ok(None);
    }
    let missing = |what: &str| differences.iter().any(|drift| drift.what == what && drift.setting == "existence");
    if STREAMS.iter().all(|stream| missing(&format!("stream {}", stream.name))) {
        return Ok(Some(1));
    }
    let list = list(differences);
    Err(Usage(format!(
        "the server has streams that differ:\n{list}say --replicas 1, or 3 or 5 as the cluster has, to change them"
    )))
}

/// Everything that any service would object to.
async fn differences(bus: &Bus) -> anyhow::Result<Vec<Drift>> {
    let mut all = Vec::new();
    for service in SERVICES {
        match bus.verify(&access(service).context("a service of the topology")?).await {
            Ok(()) => {}
            Err(ProvisionError::Drift(drift)) => {
                let new = drift.into_iter().filter(|drift| !all.contains(drift)).collect::<Vec<_>>();
                all.extend(new);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(all)
}

fn list(differences: &[Drift]) -> String {
    differences.iter().map(|drift| format!("  {drift}\n")).collect()
}

//! How often a form may be sent: by one client, so that a script gets nowhere; for one mail domain, so that nobody's mail
//! system is flooded with our confirmations; and by the owner of one record, for each press writes it.

use std::net::IpAddr;
use std::time::Duration;

use service_kit::Limit;

use crate::subscriber::SubscriberId;

pub(super) struct Limits {
    pub(super) clients: Limit<IpAddr>,
    pub(super) domains: Limit<String>,
    pub(super) owners: Limit<SubscriberId>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A newsroom behind one address can subscribe together; after that, two a minute.
            clients: Limit::new(20, Duration::from_secs(30)),
            // The great providers hold half of all readers, so this must let a busy day pass: 86,400 a day.
            domains: Limit::new(200, Duration::from_secs(1)),
            // Who has fifty subscriptions may change each of them in one go.
            owners: Limit::new(60, Duration::from_secs(5)),
        }
    }
}

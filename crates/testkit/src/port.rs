//! Ports that somebody is told before anybody listens on them.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};

/// First of the ports that are given out, and how many there are: all below those that systems hand out by themselves
/// (Linux from 32768 on, others from 49152), so that no connection and no listener on port 0 gets one in between.
const FIRST: u16 = 20_000;
const COUNT: usize = 12_000;

/// Where the next search begins. Processes that run side by side begin far apart.
static BEGIN: AtomicUsize = AtomicUsize::new(0);
const APART: usize = 29;

/// A port of loopback that nobody else gets until this is dropped, whether anything listens on it or not: what is killed
/// comes back where it was.
///
/// Who has a port holds the UDP socket of its number, on which nobody listens. Of all tests on this machine one can have
/// that, and the kernel takes it back when the test is dead.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _held: UdpSocket,
}

impl Port {
    /// A port that is free.
    ///
    /// # Panics
    /// When none of twelve thousand is.
    pub fn reserve() -> Self {
        let begin = BEGIN.fetch_add(1, Ordering::Relaxed) + process::id() as usize * APART;
        let numbers = (begin..begin + COUNT).filter_map(|n| u16::try_from(n % COUNT).ok()).map(|n| FIRST + n);
        let mut free = numbers.filter_map(|number| {
            let held = UdpSocket::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
            // Whoever knows nothing of this may listen there all the same.
            TcpListener::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
            Some(Self { number, _held: held })
        });
        free.next().expect("a free port on loopback")
    }

    pub fn number(&self) -> u16 {
        self.number
    }

    /// Where to listen and to connect.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.number).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_one_tests_own_until_it_is_dropped() {
        let ports: Vec<Port> = (0..20).map(|_| Port::reserve()).collect();
        let mut numbers: Vec<u16> = ports.iter().map(Port::number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), ports.len());
        let port = &ports[0];
        for _ in 0..2 {
            // Used and left, as by a service that is killed and comes back.
            drop(TcpListener::bind(port.address()).expect("it is free for whoever has it"));
        }
        UdpSocket::bind(port.address()).expect_err("and held");
    }

    #[test]
    fn where_somebody_listens_is_passed_over() {
        let port = Port::reserve();
        let stranger = TcpListener::bind(port.address()).expect("it is free");
        let address = port.address();
        drop(port);
        // The next search begins at that port.
        let begin = COUNT + usize::from(address.port() - FIRST) - process::id() as usize * APART % COUNT;
        BEGIN.store(begin, Ordering::Relaxed);
        assert_ne!(Port::reserve().address(), address);
        drop(stranger);
    }
}

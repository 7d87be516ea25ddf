//! Turns a destination's name into addresses that have been judged.
//!
//! The connection is made to the addresses that come out of here, so nothing can change between the judgement and its use.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

use super::{Egress, Forbidden};

/// How many names are looked up at once. Each takes a thread until the system's resolver gives up.
const LOOKUPS_MAX: usize = 64;
/// How many addresses of a name are tried. All of them are judged.
const ADDRESSES_MAX: usize = 8;

pub(super) struct Resolver {
    egress: Egress,
    lookups: Arc<Semaphore>,
}

impl Resolver {
    pub(super) fn new(egress: Egress) -> Self {
        Self { egress, lookups: Arc::new(Semaphore::new(LOOKUPS_MAX)) }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let egress = self.egress.clone();
        let lookups = Arc::clone(&self.lookups);
        Box::pin(async move {
            let permit = lookups.acquire_owned().await?;
            let name = name.as_str().to_owned();
            // The permit goes along: a caller that gives up does not free the thread.
            let looked_up = tokio::task::spawn_blocking(move || {
                let found = (name.as_str(), 0).to_socket_addrs();
                drop(permit);
                found.map(|found| (found.map(|socket| socket.ip()).collect(), name))
            });
            let (addresses, name): (Vec<IpAddr>, String) = looked_up.await??;
            let addresses = egress.resolved(&name, addresses)?;
            if addresses.is_empty() {
                return Err(io::Error::from(io::ErrorKind::NotFound).into());
            }
            // The client puts the destination's port in the place of 0.
            let sockets = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(sockets) as Addrs)
        })
    }
}

impl Egress {
    /// Judges every address of a name. One that is not allowed condemns the name: the others are then no accident.
    fn resolved(&self, name: &str, addresses: Vec<IpAddr>) -> Result<Vec<IpAddr>, Forbidden> {
        for address in &addresses {
            if let Some(reserved) = self.judge(*address) {
                let address = *address;
                return Err(Forbidden::Resolved { name: name.into(), address, reserved });
            }
        }
        Ok(addresses.into_iter().take(ADDRESSES_MAX).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(egress: &Egress, addresses: &str, expected: &str) {
        let addresses = addresses.split_whitespace().map(|address| address.parse().unwrap());
        let verdict = match egress.resolved("a.example.com", addresses.collect()) {
            Ok(addresses) => format!("{addresses:?}"),
            Err(forbidden) => forbidden.to_string(),
        };
        assert_eq!(verdict, expected);
    }

    #[test]
    fn one_inner_address_condemns_the_name() {
        check(&Egress::public(), "93.184.216.34 2606:4700::1", "[93.184.216.34, 2606:4700::1]");
        for inner in ["10.0.0.1", "::ffff:10.0.0.1"] {
            check(
                &Egress::public(),
                &format!("93.184.216.34 2606:4700::1 {inner}"),
                &format!(
                    "`a.example.com` resolves to {inner}, which is a private address: all its addresses have to be on \
                     the public internet"
                ),
            );
        }
    }

    #[test]
    fn an_inner_address_behind_many_public_ones_is_still_found() {
        let many = "93.184.216.34 ".repeat(ADDRESSES_MAX * 4);
        let public = Egress::public()
            .resolved("a", many.split_whitespace().map(|a| a.parse().unwrap()).collect());
        assert_eq!(public.unwrap().len(), ADDRESSES_MAX);
        check(
            &Egress::public(),
            &format!("{many} 127.0.0.1"),
            "`a.example.com` resolves to 127.0.0.1, which is a loopback address: all its addresses have to be on the \
             public internet",
        );
    }

    #[test]
    fn a_name_for_this_machine_resolves_only_where_that_is_allowed() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let resolve = |egress: Egress| {
            let resolving = Resolver::new(egress).resolve("localhost".parse().unwrap());
            runtime.block_on(resolving).map(Iterator::collect::<Vec<_>>)
        };
        let refused = resolve(Egress::public()).unwrap_err();
        assert!(refused.downcast_ref::<Forbidden>().is_some(), "{refused}");
        let sockets = resolve(Egress::public().allow_loopback()).unwrap();
        assert!(!sockets.is_empty() && sockets.iter().all(|socket| socket.ip().is_loopback()));
    }
}

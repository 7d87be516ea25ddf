//! Turns a destination's name into addresses that have been judged.
//!
//! The connection is made to the addresses that come out of here, so nothing can change between the judgement and its use.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::Name as PoolName;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

use super::{Egress, Forbidden};

/// How many names are looked up at once. Each takes a thread until the system's resolver gives up.
const LOOKUPS_MAX: usize = 64;
/// How many of them may be for the same name: one whose servers are silent does not keep the others waiting.
const LOOKUPS_PER_NAME_MAX: usize = 4;
/// How many addresses of a name are tried. All of them are judged.
const ADDRESSES_MAX: usize = 8;

#[derive(Clone)]
pub(super) struct Resolver {
    egress: Egress,
    lookups: Arc<Semaphore>,
    names: Arc<Mutex<HashMap<String, Arc<Semaphore>>>>,
}

type LookedUp = Result<Vec<SocketAddr>, Box<dyn std::error::Error + Send + Sync>>;

impl Resolver {
    pub(super) fn new(egress: Egress) -> Self {
        Self { egress, lookups: Arc::new(Semaphore::new(LOOKUPS_MAX)), names: Arc::default() }
    }

    /// Returns the judged addresses of a name; the client puts the destination's port in the place of 0.
    async fn look_up(self, name: String) -> LookedUp {
        let turn = self.turn(&name);
        let of_name = Arc::clone(&turn).acquire_owned().await?;
        let permit = self.lookups.acquire_owned().await?;
        let directory = self.egress.directory.clone();
        // The permits go along: a caller that gives up does not free the thread.
        let looked_up = tokio::task::spawn_blocking(move || {
            let found = match &directory {
                Some(directory) => (directory.0)(&name),
                None => (name.as_str(), 0)
                    .to_socket_addrs()
                    .map(|found| found.map(|socket| socket.ip()).collect()),
            };
            drop((permit, of_name));
            found.map(|found| (found, name))
        });
        let (addresses, name): (Vec<IpAddr>, String) = looked_up.await??;
        let judged = self.egress.resolved(&name, addresses);
        let addresses = judged.inspect_err(|forbidden| {
            metrics::counter!("gavel_egress_forbidden_total").increment(1);
            tracing::warn!(%forbidden, "connection refused");
        })?;
        if addresses.is_empty() {
            return Err(io::Error::from(io::ErrorKind::NotFound).into());
        }
        Ok(addresses.into_iter().map(|address| SocketAddr::new(address, 0)).collect())
    }

    fn turn(&self, name: &str) -> Arc<Semaphore> {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        // A name that nobody looks up has nobody who waits for it.
        names.retain(|_, turn| Arc::strong_count(turn) > 1);
        let turn = names.entry(name.to_owned());
        Arc::clone(turn.or_insert_with(|| Arc::new(Semaphore::new(LOOKUPS_PER_NAME_MAX))))
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let looking_up = self.clone().look_up(name.as_str().to_owned());
        Box::pin(async move { Ok(Box::new(looking_up.await?.into_iter()) as Addrs) })
    }
}

impl tower::Service<PoolName> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: PoolName) -> Self::Future {
        let looking_up = self.clone().look_up(name.as_str().to_owned());
        Box::pin(async move { Ok(looking_up.await?.into_iter()) })
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

    #[tokio::test]
    async fn a_name_whose_servers_are_silent_keeps_only_its_own_waiting() {
        use std::time::{Duration, Instant};

        const SILENCE: Duration = Duration::from_secs(3);
        let resolver = Resolver::new(Egress::public().directory(|name| {
            if name == "silent.example.com" {
                std::thread::sleep(SILENCE);
            }
            Ok(vec!["93.184.216.34".parse().unwrap()])
        }));
        for _ in 0..LOOKUPS_MAX * 2 {
            tokio::spawn(resolver.clone().look_up("silent.example.com".to_owned()));
        }
        tokio::task::yield_now().await;
        let began = Instant::now();
        let found = resolver.clone().look_up("prompt.example.com".to_owned()).await.unwrap();
        assert_eq!(found, [SocketAddr::from(([93, 184, 216, 34], 0))]);
        assert!(began.elapsed() < SILENCE, "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn a_name_that_moves_inside_is_refused_at_the_next_connection() {
        use std::sync::atomic::{AtomicBool, Ordering};

        static MOVED: AtomicBool = AtomicBool::new(false);
        let resolver = Resolver::new(Egress::public().directory(|_| {
            let inside = MOVED.load(Ordering::SeqCst);
            Ok(vec![if inside { "169.254.169.254" } else { "93.184.216.34" }.parse().unwrap()])
        }));
        let name = || "moving.example.com".to_owned();
        assert!(resolver.clone().look_up(name()).await.is_ok());
        MOVED.store(true, Ordering::SeqCst);
        let refused = resolver.clone().look_up(name()).await.unwrap_err();
        assert!(refused.downcast_ref::<Forbidden>().is_some(), "{refused}");
    }

    #[test]
    fn a_name_for_this_machine_resolves_only_where_that_is_allowed() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let resolve = |egress: Egress| {
            let resolving = Resolver::new(egress).resolve("localhost".parse::<Name>().unwrap());
            runtime.block_on(resolving).map(Iterator::collect::<Vec<_>>)
        };
        let refused = resolve(Egress::public()).unwrap_err();
        assert!(refused.downcast_ref::<Forbidden>().is_some(), "{refused}");
        let sockets = resolve(Egress::public().allow_loopback()).unwrap();
        assert!(!sockets.is_empty() && sockets.iter().all(|socket| socket.ip().is_loopback()));
    }
}

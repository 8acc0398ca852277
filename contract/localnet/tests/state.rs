//! The state directory over a long life: the log is continued in new files, snapshots replace old
//! ones, and a restart finds the same ledger and the same history.

use localnet::account;
use localnet::network::{Network, account_of, sha256};
use localnet::node::Node;
use std::fs;
use std::path::PathBuf;
use stellar_xdr::{AccountId, Hash};

struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("localnet-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn names(&self, suffix: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(suffix))
            .collect();
        names.sort();
        names
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's own cleaning of its temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn open(directory: &Directory) -> Node {
    Node::open(Network::new("state"), &directory.0, None).unwrap()
}

fn person(number: u32) -> AccountId {
    account_of(&ed25519_dalek::SigningKey::from_bytes(&sha256(
        &number.to_be_bytes(),
    )))
}

/// Makes an account in a ledger of its own and returns its transaction's hash.
fn fund(node: &Node, number: u32) -> Hash {
    let paid = node.ask_friendbot(person(number));
    node.close().unwrap();
    paid.blocking_recv().unwrap().unwrap().hash.clone()
}

#[test]
fn a_long_life() {
    let directory = Directory::new("long-life");
    let mut hashes = Vec::new();
    let mut last = Hash([0; 32]);
    // Three restarts, two of them with a new log on the way.
    for round in 0..3u32 {
        let node = open(&directory);
        if round > 0 {
            assert_eq!(*node.snapshot().hash(), last, "round {round}");
        }
        for (number, hash) in hashes.iter().enumerate() {
            let found = node.with_history(|history| history.transaction(hash).cloned());
            assert!(found.is_some_and(|found| found.succeeded), "round {round}");
            let account = account::load(&node.snapshot(), &person(number as u32));
            assert!(account.is_some(), "round {round}");
        }
        for _ in 0..3 {
            hashes.push(fund(&node, u32::try_from(hashes.len()).unwrap()));
            for _ in 0..1_000 {
                node.close().unwrap();
            }
        }
        last = node.snapshot().hash().clone();
        node.finish().unwrap();
    }
    // 9,010 ledgers: two snapshots were taken, and only the newest is still there. The logs reach
    // further back, for the history.
    let snapshots = directory.names(".snapshot");
    assert_eq!(snapshots.len(), 1, "{snapshots:?}");
    assert_ne!(snapshots[0], "state-0000000001.snapshot");
    assert_eq!(directory.names(".log").len(), 3);
    assert!(directory.names(".new").is_empty());
    let node = open(&directory);
    assert_eq!(node.snapshot().sequence(), 1 + 9 * 1_001);
    assert!(node.with_history(|history| history.oldest().sequence) <= 2);
}

#[test]
fn a_snapshot_that_was_not_finished_is_not_missed() {
    let directory = Directory::new("unfinished");
    let node = open(&directory);
    let hash = fund(&node, 0);
    let sequence = node.snapshot().sequence();
    drop(node);
    fs::write(directory.0.join("state-0000000002.new"), b"half a snap").unwrap();
    let node = open(&directory);
    assert_eq!(node.snapshot().sequence(), sequence);
    assert!(node.with_history(|history| history.transaction(&hash).is_some()));
}

#[test]
fn a_log_that_is_missing_is_noticed() {
    let directory = Directory::new("missing-log");
    let node = open(&directory);
    fund(&node, 0);
    drop(node);
    fs::remove_file(directory.0.join("ledgers-0000000002.log")).unwrap();
    let error = Node::open(Network::new("state"), &directory.0, None)
        .map(|_| ())
        .unwrap_err();
    assert!(error.contains("is damaged"), "{error}");
}

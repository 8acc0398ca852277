//! The state directory over a long life: the log is continued in new files, snapshots replace old
//! ones, and a restart finds the same ledger and the same history.

use localnet::account;
use localnet::ledger::{Order, encode, header_hash};
use localnet::network::{Network, account_of, sha256};
use localnet::node::Node;
use localnet::store::LEDGERS_KEPT;
use std::fs;
use std::path::PathBuf;
use stellar_xdr::{AccountId, Hash, LedgerCloseMeta, Limits, ReadXdr};

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
    node.close(Order::default).unwrap();
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
                node.close(Order::default).unwrap();
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

fn meta_of(node: &Node, sequence: u32) -> LedgerCloseMeta {
    let found = node.with_history(|history| history.range(sequence, sequence));
    LedgerCloseMeta::from_xdr(found[0].meta().unwrap(), Limits::none()).unwrap()
}

/// Every kept ledger follows the one before it, by number and by hash.
fn check_links(node: &Node) {
    let kept = node.with_history(|history| {
        history.range(history.oldest().sequence, history.latest().sequence)
    });
    for pair in kept.windows(2) {
        assert_eq!(pair[1].sequence, pair[0].sequence + 1);
        assert_eq!(pair[1].header.previous_ledger_hash, pair[0].hash);
        assert!(pair[1].close_time >= pair[0].close_time);
    }
    assert!(kept.iter().all(|one| one.hash == header_hash(&one.header)));
}

#[test]
fn a_jump_goes_ahead_in_ledgers_and_in_time() {
    let directory = Directory::new("jump");
    let node = open(&directory);
    let hash = fund(&node, 0);
    let (sequence, began_s) = (node.snapshot().sequence(), node.snapshot().close_time());

    // A short one makes every ledger, and the last of them takes in what waits.
    let paid = node.ask_friendbot(person(1));
    let summary = node.jump(100, 1_000, Order::default).unwrap();
    assert_eq!(
        (summary.sequence, summary.transactions),
        (sequence + 100, 1)
    );
    assert_eq!(
        paid.blocking_recv().unwrap().unwrap().ledger,
        sequence + 100
    );
    let close_time = node.snapshot().close_time();
    assert!(close_time >= began_s + 1_000, "{close_time}");
    assert!(node.with_history(|history| history.transaction(&hash).is_some()));
    let halfway = node.with_history(|history| history.range(sequence + 50, sequence + 50));
    assert!((began_s + 500..began_s + 520).contains(&halfway[0].close_time));
    check_links(&node);

    // A long one leaves ledgers out that the history would not reach back to.
    let from = node.snapshot().sequence();
    node.jump(3_000_000, 86_400, Order::default).unwrap();
    let kept = u32::try_from(LEDGERS_KEPT).unwrap();
    let (oldest, latest) =
        node.with_history(|history| (history.oldest().sequence, history.latest().sequence));
    assert_eq!(
        (oldest, latest),
        (from + 3_000_001 - kept, from + 3_000_000)
    );
    assert!(node.with_history(|history| history.transaction(&hash).is_none()));
    check_links(&node);
    let LedgerCloseMeta::V2(meta) = meta_of(&node, oldest) else {
        panic!("not the form of protocol 23 and later")
    };
    assert_eq!(meta.ledger_header.header.ledger_seq, oldest);

    // A restart is where it was, with the same clock.
    let (state, time) = (node.snapshot().hash().clone(), node.snapshot().close_time());
    drop(node);
    let node = open(&directory);
    assert_eq!(*node.snapshot().hash(), state);
    check_links(&node);
    node.close(Order::default).unwrap();
    assert!(node.snapshot().close_time() >= time);
    assert!(account::load(&node.snapshot(), &person(0)).is_some());
}

#[test]
fn the_metadata_of_every_kept_ledger_is_in_the_logs() {
    let directory = Directory::new("metadata");
    let node = open(&directory);
    let first = meta_of(&node, 1);
    fund(&node, 0);
    node.close(Order::default).unwrap();
    let metas: Vec<Vec<u8>> = (1..=3)
        .map(|ledger| encode(&meta_of(&node, ledger)))
        .collect();
    assert_eq!(metas[0], encode(&first));
    drop(node);
    let node = open(&directory);
    for (meta, ledger) in metas.iter().zip(1..) {
        assert_eq!(*meta, encode(&meta_of(&node, ledger)));
    }
}

#[test]
fn a_ledger_cut_out_of_the_log_is_noticed() {
    let directory = Directory::new("cut-out");
    let node = open(&directory);
    node.close(Order::default).unwrap();
    let log = directory.0.join("ledgers-0000000002.log");
    let one = fs::read(&log).unwrap().len();
    node.close(Order::default).unwrap();
    let two = fs::read(&log).unwrap().len();
    node.close(Order::default).unwrap();
    drop(node);
    let mut bytes = fs::read(&log).unwrap();
    bytes.drain(one..two);
    fs::write(&log, bytes).unwrap();
    let error = Node::open(Network::new("state"), &directory.0, None);
    let error = error.map(|_| ()).unwrap_err();
    assert!(error.contains("ledger 3 is missing"), "{error}");
}

#[test]
fn files_of_another_version_are_named_so() {
    let directory = Directory::new("version");
    drop(open(&directory));
    let path = directory.0.join("state-0000000001.snapshot");
    let mut bytes = fs::read(&path).unwrap();
    bytes[15] = b'7';
    fs::write(&path, bytes).unwrap();
    let error = Node::open(Network::new("state"), &directory.0, None);
    let error = error.map(|_| ()).unwrap_err();
    assert!(
        error.contains("its format is 7, and this one reads 1"),
        "{error}"
    );
}

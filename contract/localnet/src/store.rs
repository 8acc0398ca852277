//! The state directory: a snapshot of all entries and, after it, a log with every closed ledger's
//! metadata. Closing a ledger appends its metadata and nothing else; a fresh snapshot is written
//! from time to time, beside the work, and old files go when nothing needs them any more.
//!
//! A ledger is on disk before anyone hears of it. One with transactions is also forced there
//! (fsync); an empty one is handed to the kernel, which survives the death of this process.

use crate::ledger::{Lifetime, Snapshot, Stored, encode};
use crate::network::{Network, sha256};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use stellar_xdr::*;

/// Ledgers that are remembered: a day of them at five seconds each.
pub const LEDGERS_KEPT: usize = 17_280;

const SNAPSHOT_MAGIC: &[u8; 16] = b"localnet-state-1";
const LOG_MAGIC: &[u8; 16] = b"localnet-ledger1";
const CHECKSUM_BYTES: usize = 8;
const LENGTH_CHECKSUM_BYTES: usize = 4;
/// A log is continued in a new file, and a snapshot taken, after so many bytes or ledgers.
const LOG_BYTES_MAX: u64 = 64 * 1024 * 1024;
const LOG_LEDGERS_MAX: u32 = 4_096;

pub struct Store {
    directory: PathBuf,
    /// Held for as long as the process lives, so that no second one writes the same files.
    _lock: File,
    network: Arc<Network>,
    log: File,
    log_path: Arc<PathBuf>,
    log_bytes: u64,
    log_ledgers: u32,
    snapshotting: Option<JoinHandle<Result<(), String>>>,
}

/// What a state directory holds.
pub struct Found {
    pub snapshot: Snapshot,
    /// Every ledger in the log, the ones before the snapshot included, oldest first.
    pub ledgers: Vec<(LedgerCloseMeta, Place)>,
}

/// Where a ledger stands in a log.
#[derive(Clone, Debug)]
pub struct Place {
    log: Arc<PathBuf>,
    at: u64,
    bytes: usize,
}

impl Place {
    /// XDR of the ledger's metadata, read from the log again.
    pub fn read(&self) -> Result<Vec<u8>, String> {
        let mut record = vec![0; self.bytes];
        File::open(&*self.log)
            .and_then(|file| file.read_exact_at(&mut record, self.at))
            .map_err(|error| named(&self.log, "cannot be read", error))?;
        match log_part(&mut record.as_slice()) {
            LogPart::Ledger(meta) => Ok(meta.to_vec()),
            LogPart::CutOff => Err(named(&self.log, "is damaged", "a ledger is cut off")),
            LogPart::Damaged(what) => Err(named(&self.log, "is damaged", what)),
        }
    }
}

fn named(path: &Path, what: &str, error: impl std::fmt::Display) -> String {
    format!("{} {what}: {error}", path.display())
}

fn sequence_of(path: &Path, prefix: &str, suffix: &str) -> Option<u32> {
    let name = path.file_name()?.to_str()?;
    name.strip_prefix(prefix)?
        .strip_suffix(suffix)?
        .parse()
        .ok()
}

fn snapshot_path(directory: &Path, sequence: u32) -> PathBuf {
    directory.join(format!("state-{sequence:010}.snapshot"))
}

fn log_path(directory: &Path, sequence: u32) -> PathBuf {
    directory.join(format!("ledgers-{sequence:010}.log"))
}

/// Files of one kind by the ledger in their name, ascending.
fn files(directory: &Path, prefix: &str, suffix: &str) -> Result<Vec<(u32, PathBuf)>, String> {
    let listing = fs::read_dir(directory).map_err(|e| named(directory, "cannot be listed", e))?;
    let mut found = Vec::new();
    for entry in listing {
        let path = entry
            .map_err(|e| named(directory, "cannot be listed", e))?
            .path();
        if let Some(sequence) = sequence_of(&path, prefix, suffix) {
            found.push((sequence, path));
        }
    }
    found.sort();
    Ok(found)
}

fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Puts a whole file in place or leaves none: written beside, forced to disk, renamed, and the
/// rename forced, too.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    sync_directory(path.parent().unwrap_or(Path::new(".")))
}

fn encode_snapshot(snapshot: &Snapshot) -> Vec<u8> {
    let mut bytes = SNAPSHOT_MAGIC.to_vec();
    bytes.extend_from_slice(&snapshot.network().id().0);
    let mut put = |part: &[u8]| {
        bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend_from_slice(part);
    };
    put(&encode(snapshot.header()));
    for (key, stored) in snapshot.entries() {
        // A temporary entry that has expired is gone for good and need not be kept.
        let gone = !crate::ledger::is_persistent(key) && !stored.is_live(snapshot.sequence());
        if gone {
            continue;
        }
        let mut part = stored.lifetime.map_or([0u8; 8].to_vec(), |life| {
            [life.until.to_be_bytes(), life.modified.to_be_bytes()].concat()
        });
        part.extend(encode(&*stored.entry));
        put(&part);
    }
    let digest = sha256(&bytes);
    bytes.extend_from_slice(&digest);
    bytes
}

/// Cuts the next length-prefixed part off; `None` if the bytes end before it does.
fn part<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let length = u32::from_be_bytes(*length) as usize;
    if rest.len() < length {
        return None;
    }
    let (part, rest) = rest.split_at(length);
    *bytes = rest;
    Some(part)
}

fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|mut file| file.read_to_end(&mut bytes))
        .map_err(|error| named(path, "cannot be read", error))?;
    Ok(bytes)
}

/// Takes magic and network id off the front.
fn header<'a>(
    path: &Path,
    bytes: &'a [u8],
    magic: &[u8; 16],
    network: &Network,
) -> Result<&'a [u8], String> {
    let damaged = || {
        named(
            path,
            "is damaged",
            "it does not start as one of localnet's files",
        )
    };
    let (start, version) = magic.split_at(magic.len() - 1);
    let rest = bytes.strip_prefix(start).ok_or_else(damaged)?;
    let rest = match rest.split_first() {
        Some((found, rest)) if [*found] == version => rest,
        Some((found, _)) if found.is_ascii_digit() => {
            return Err(format!(
                "{} was written by another version of localnet: its format is {}, and this one \
                 reads {}",
                path.display(),
                char::from(*found),
                version.escape_ascii()
            ));
        }
        _ => return Err(damaged()),
    };
    let (id, rest) = rest.split_first_chunk::<32>().ok_or_else(damaged)?;
    if *id != network.id().0 {
        return Err(format!(
            "{} belongs to another network: its passphrase is not \"{}\"",
            path.display(),
            network.passphrase()
        ));
    }
    Ok(rest)
}

fn decode_snapshot(path: &Path, network: &Arc<Network>) -> Result<Snapshot, String> {
    let damaged = |what: &str| named(path, "is damaged", what);
    let bytes = read_file(path)?;
    header(path, &bytes, SNAPSHOT_MAGIC, network)?;
    let (body, digest) = bytes
        .split_last_chunk::<32>()
        .ok_or_else(|| damaged("it is too short"))?;
    if sha256(body) != *digest {
        return Err(damaged("its checksum does not match"));
    }
    let mut rest = header(path, body, SNAPSHOT_MAGIC, network)?;
    let ledger_header = part(&mut rest)
        .and_then(|bytes| LedgerHeader::from_xdr(bytes, Limits::none()).ok())
        .ok_or_else(|| damaged("it has no ledger header"))?;
    let mut entries = Vec::new();
    while !rest.is_empty() {
        let bytes = part(&mut rest).ok_or_else(|| damaged("an entry is cut off"))?;
        let (lifetime, bytes) = bytes
            .split_first_chunk::<8>()
            .ok_or_else(|| damaged("an entry is cut off"))?;
        let entry = LedgerEntry::from_xdr(bytes, Limits::none())
            .map_err(|_| damaged("an entry cannot be read"))?;
        let word = |at: usize| {
            u32::from_be_bytes([
                lifetime[at],
                lifetime[at + 1],
                lifetime[at + 2],
                lifetime[at + 3],
            ])
        };
        let key = entry.to_key();
        let lifetime = crate::ledger::is_contract_entry(&key).then(|| Lifetime {
            until: word(0),
            modified: word(4),
        });
        entries.push((
            key,
            Stored {
                entry: Arc::new(entry),
                lifetime,
            },
        ));
    }
    Snapshot::new(network.clone(), ledger_header, entries)
}

/// One ledger in the log: its length, a checksum of the length, a checksum of the metadata, the
/// metadata. The length has a checksum of its own so that a flipped bit in it is not mistaken for
/// an end that was cut off.
fn log_record(meta: &[u8]) -> Result<Vec<u8>, String> {
    let length = u32::try_from(meta.len())
        .map_err(|_| "a ledger is too large for the log".to_owned())?
        .to_be_bytes();
    let mut record = Vec::with_capacity(meta.len() + 16);
    record.extend_from_slice(&length);
    record.extend_from_slice(&sha256(&length)[..LENGTH_CHECKSUM_BYTES]);
    record.extend_from_slice(&sha256(meta)[..CHECKSUM_BYTES]);
    record.extend_from_slice(meta);
    Ok(record)
}

enum LogPart<'a> {
    Ledger(&'a [u8]),
    CutOff,
    Damaged(&'static str),
}

fn log_part<'a>(bytes: &mut &'a [u8]) -> LogPart<'a> {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else {
        return LogPart::CutOff;
    };
    let Some((check, rest)) = rest.split_first_chunk::<LENGTH_CHECKSUM_BYTES>() else {
        return LogPart::CutOff;
    };
    if sha256(length)[..LENGTH_CHECKSUM_BYTES] != *check {
        return LogPart::Damaged("the length of a ledger cannot be right");
    }
    let Some((checksum, rest)) = rest.split_first_chunk::<CHECKSUM_BYTES>() else {
        return LogPart::CutOff;
    };
    let length = u32::from_be_bytes(*length) as usize;
    if rest.len() < length {
        return LogPart::CutOff;
    }
    let (meta, rest) = rest.split_at(length);
    if sha256(meta)[..CHECKSUM_BYTES] != *checksum {
        return LogPart::Damaged("a ledger's checksum does not match");
    }
    *bytes = rest;
    LogPart::Ledger(meta)
}

/// Reads a log. The last file may end in the middle of a ledger that was being written when the
/// process died; nobody was told of that ledger, and the length without it is returned.
fn read_log(
    path: &Path,
    network: &Network,
    is_last: bool,
) -> Result<(Vec<(LedgerCloseMeta, Place)>, u64), String> {
    let damaged = |what: &str| named(path, "is damaged", what);
    let log = Arc::new(path.to_owned());
    let bytes = read_file(path)?;
    let mut rest = header(path, &bytes, LOG_MAGIC, network)?;
    let mut ledgers = Vec::new();
    while !rest.is_empty() {
        let before = rest.len();
        match log_part(&mut rest) {
            LogPart::Ledger(meta) => {
                let place = Place {
                    log: log.clone(),
                    at: (bytes.len() - before) as u64,
                    bytes: before - rest.len(),
                };
                let meta = LedgerCloseMeta::from_xdr(meta, Limits::none())
                    .map_err(|_| damaged("a ledger cannot be read"))?;
                ledgers.push((meta, place));
            }
            LogPart::CutOff if is_last => break,
            LogPart::CutOff => return Err(damaged("a ledger is cut off")),
            LogPart::Damaged(what) => return Err(damaged(what)),
        }
    }
    Ok((ledgers, (bytes.len() - rest.len()) as u64))
}

fn header_of(meta: &LedgerCloseMeta) -> &LedgerHeaderHistoryEntry {
    match meta {
        LedgerCloseMeta::V0(meta) => &meta.ledger_header,
        LedgerCloseMeta::V1(meta) => &meta.ledger_header,
        LedgerCloseMeta::V2(meta) => &meta.ledger_header,
    }
}

fn start_log(directory: &Path, first: u32, network: &Network) -> Result<File, String> {
    let path = log_path(directory, first);
    let mut bytes = LOG_MAGIC.to_vec();
    bytes.extend_from_slice(&network.id().0);
    write_whole(&path, &bytes).map_err(|error| named(&path, "cannot be written", error))?;
    OpenOptions::new()
        .append(true)
        .open(&path)
        .map_err(|error| named(&path, "cannot be opened", error))
}

const LOG_HEADER_BYTES: u64 = 48;

impl Store {
    /// Opens a state directory, making it if there is none. `genesis` is asked for the first
    /// ledger of a network that is new here.
    pub fn open(
        directory: &Path,
        network: Arc<Network>,
        genesis: impl FnOnce() -> Result<Snapshot, String>,
    ) -> Result<(Self, Found), String> {
        fs::create_dir_all(directory).map_err(|e| named(directory, "cannot be made", e))?;
        let lock = lock(directory)?;
        let snapshots = files(directory, "state-", ".snapshot")?;
        let logs = files(directory, "ledgers-", ".log")?;
        let Some((_, newest)) = snapshots.last() else {
            if !logs.is_empty() {
                let error = "there are ledgers but no state they could follow";
                return Err(named(directory, "is damaged", error));
            }
            let snapshot = genesis()?;
            let first = snapshot.sequence();
            let path = snapshot_path(directory, first);
            write_whole(&path, &encode_snapshot(&snapshot))
                .map_err(|error| named(&path, "cannot be written", error))?;
            let log = start_log(directory, first + 1, &network)?;
            let store = Self {
                directory: directory.to_owned(),
                _lock: lock,
                network,
                log,
                log_path: Arc::new(log_path(directory, first + 1)),
                log_bytes: LOG_HEADER_BYTES,
                log_ledgers: 0,
                snapshotting: None,
            };
            return Ok((
                store,
                Found {
                    snapshot,
                    ledgers: Vec::new(),
                },
            ));
        };

        let snapshot = decode_snapshot(newest, &network)?;
        let mut ledgers: Vec<(LedgerCloseMeta, Place)> = Vec::new();
        let mut tail = None;
        for (at, (_, path)) in logs.iter().enumerate() {
            let (read, length) = read_log(path, &network, at + 1 == logs.len())?;
            tail = Some((
                path.clone(),
                length,
                u32::try_from(read.len()).unwrap_or(u32::MAX),
            ));
            ledgers.extend(read);
        }
        for pair in ledgers.windows(2) {
            // By hash and not by number, for a jump leaves numbers out.
            let (before, after) = (header_of(&pair[0].0), header_of(&pair[1].0));
            if after.header.previous_ledger_hash != before.hash {
                let error = format!("ledger {} is missing", before.header.ledger_seq + 1);
                return Err(named(directory, "is damaged", error));
            }
        }
        let (log, path, log_bytes, log_ledgers) = match tail {
            Some((path, length, count)) => {
                let log = OpenOptions::new()
                    .append(true)
                    .open(&path)
                    .and_then(|log| log.set_len(length).map(|()| log))
                    .map_err(|error| named(&path, "cannot be opened", error))?;
                (log, path, length, count)
            }
            None => {
                let error = "the log of its ledgers is missing";
                return Err(named(directory, "is damaged", error));
            }
        };
        let store = Self {
            directory: directory.to_owned(),
            _lock: lock,
            network,
            log,
            log_path: Arc::new(path),
            log_bytes,
            log_ledgers,
            snapshotting: None,
        };
        Ok((store, Found { snapshot, ledgers }))
    }

    /// Writes a closed ledger and says where. When this returns, the ledger may be talked about.
    pub fn append(&mut self, meta: &[u8], has_transactions: bool) -> Result<Place, String> {
        let record = log_record(meta)?;
        self.log
            .write_all(&record)
            .and_then(|()| {
                if has_transactions {
                    self.log.sync_data()
                } else {
                    Ok(())
                }
            })
            .map_err(|error| format!("the log cannot be written: {error}"))?;
        let place = Place {
            log: self.log_path.clone(),
            at: self.log_bytes,
            bytes: record.len(),
        };
        self.log_bytes += record.len() as u64;
        self.log_ledgers += 1;
        Ok(place)
    }

    /// Whether the log has grown enough for a new snapshot.
    pub fn is_due(&self) -> bool {
        self.log_bytes >= LOG_BYTES_MAX || self.log_ledgers >= LOG_LEDGERS_MAX
    }

    /// Continues the log in a new file and takes a snapshot beside the work. `snapshot` is the
    /// ledger that was appended last.
    pub fn rotate(&mut self, snapshot: &Snapshot) -> Result<(), String> {
        self.finish_snapshot()?;
        self.log
            .sync_data()
            .map_err(|error| format!("the log cannot be written: {error}"))?;
        let first = snapshot.sequence() + 1;
        self.log = start_log(&self.directory, first, &self.network)?;
        self.log_path = Arc::new(log_path(&self.directory, first));
        self.log_bytes = LOG_HEADER_BYTES;
        self.log_ledgers = 0;
        let (directory, snapshot) = (self.directory.clone(), snapshot.clone());
        self.snapshotting = Some(std::thread::spawn(move || {
            let path = snapshot_path(&directory, snapshot.sequence());
            write_whole(&path, &encode_snapshot(&snapshot))
                .map_err(|error| named(&path, "cannot be written", error))?;
            remove_old(&directory, snapshot.sequence())
        }));
        Ok(())
    }

    fn finish_snapshot(&mut self) -> Result<(), String> {
        match self.snapshotting.take() {
            Some(thread) => thread
                .join()
                .unwrap_or_else(|_| Err("the snapshot's thread died".to_owned())),
            None => Ok(()),
        }
    }

    /// Forces everything to disk.
    pub fn finish(&mut self) -> Result<(), String> {
        self.finish_snapshot()?;
        self.log
            .sync_all()
            .map_err(|error| format!("the log cannot be written: {error}"))
    }
}

fn lock(directory: &Path) -> Result<File, String> {
    let path = directory.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| named(&path, "cannot be opened", error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(format!(
            "{} is in use by another localnet",
            directory.display()
        )),
        Err(TryLockError::Error(error)) => Err(named(&path, "cannot be locked", error)),
    }
}

/// Removes snapshots before the given one, and logs that lie before it and outside the window.
fn remove_old(directory: &Path, snapshot: u32) -> Result<(), String> {
    let remove = |path: &Path| {
        fs::remove_file(path).map_err(|error| named(path, "cannot be removed", error))
    };
    for (sequence, path) in files(directory, "state-", ".snapshot")? {
        if sequence < snapshot {
            remove(&path)?;
        }
    }
    let window = snapshot.saturating_sub(u32::try_from(LEDGERS_KEPT).unwrap_or(u32::MAX));
    let logs = files(directory, "ledgers-", ".log")?;
    for pair in logs.windows(2) {
        // A log's ledgers end where the next one's begin.
        if pair[1].0 <= window.min(snapshot) {
            remove(&pair[0].1)?;
        }
    }
    Ok(())
}

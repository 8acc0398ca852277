//! The node: takes transactions in, closes ledgers, and shows what is known. Readers work on the
//! last closed ledger and never wait for the next one to be executed.

use crate::envelope::Envelope;
use crate::friendbot;
use crate::history::{History, LedgerRecord, TransactionRecord};
use crate::ledger::{
    Closed, Ledger, LedgerLimits, Order, Snapshot, Terms, check, encode, refusal_result,
};
use crate::network::Network;
use crate::pool::{Obstacle, Place, Pool};
use crate::store::{LEDGERS_KEPT, Store};
use crate::validity::Refusal;
use crate::{account, genesis};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use stellar_xdr::*;
use tokio::sync::oneshot;

/// What is visible to clients. Both parts change together, so that a transaction that is known to
/// have succeeded has its effects in the entries.
struct Published {
    snapshot: Snapshot,
    history: History,
}

struct Closer {
    ledger: Ledger,
    store: Store,
}

/// How a request to friendbot ended; the error is a sentence.
pub type Paid = Result<Arc<TransactionRecord>, String>;

struct Asking {
    account: AccountId,
    answer: oneshot::Sender<Paid>,
}

pub struct Node {
    network: Arc<Network>,
    /// `None`: ledgers close only when asked to.
    ledger_time: Option<Duration>,
    published: RwLock<Published>,
    pool: Mutex<Pool>,
    asking: Mutex<Vec<Asking>>,
    limits: Mutex<LedgerLimits>,
    /// Seconds by which jumps have put the network's clock before the wall clock.
    ahead_s: AtomicU64,
    closer: Mutex<Closer>,
}

/// What became of a transaction that was sent.
pub enum Sent {
    Pending,
    Duplicate,
    TryAgainLater,
    Refused(Box<(TransactionResult, Refusal)>),
}

/// A ledger in a line.
pub struct Summary {
    pub sequence: u32,
    pub transactions: usize,
    pub failed: usize,
    pub refused: usize,
    pub left: usize,
    pub took: Duration,
}

/// A thread that died while it held the lock has not published anything half done: what is
/// published is replaced as a whole.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Unix seconds.
fn wall_s() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

impl Node {
    pub fn open(
        network: Network,
        directory: &Path,
        ledger_time: Option<Duration>,
    ) -> Result<Self, String> {
        let network = Arc::new(network);
        let (store, found) = Store::open(directory, network.clone(), || {
            genesis::genesis(network.clone(), wall_s(), [])
        })?;
        let base = found.snapshot.sequence();
        let before_log = (
            found.snapshot.header().clone(),
            found.snapshot.hash().clone(),
        );
        let mut history: Option<History> = None;
        let mut ledger = Ledger::new(found.snapshot)?;
        for (meta, place) in found.ledgers {
            let record = LedgerRecord::of_meta(&meta, place, &network)?;
            if record.sequence > base {
                ledger.replay(&meta)?;
            }
            match &mut history {
                Some(history) => history.push(record),
                // While the snapshot is still the one before the log, its ledger is known, too.
                None if record.sequence == base + 1 => {
                    let before = LedgerRecord::of_header(&before_log.0, &before_log.1);
                    let mut begun = History::new(before);
                    begun.push(record);
                    history = Some(begun);
                }
                None => history = Some(History::new(record)),
            }
        }
        let history = history
            .unwrap_or_else(|| History::new(LedgerRecord::of_header(&before_log.0, &before_log.1)));
        if history.latest().hash != *ledger.snapshot().hash() {
            return Err(format!(
                "{} is damaged: the log of its ledgers ends before its state",
                directory.display()
            ));
        }
        let ahead_s = ledger.snapshot().close_time().saturating_sub(wall_s());
        let published = Published {
            snapshot: ledger.snapshot().clone(),
            history,
        };
        Ok(Self {
            network,
            ledger_time,
            published: RwLock::new(published),
            pool: Mutex::new(Pool::default()),
            asking: Mutex::new(Vec::new()),
            limits: Mutex::new(LedgerLimits::default()),
            ahead_s: AtomicU64::new(ahead_s),
            closer: Mutex::new(Closer { ledger, store }),
        })
    }

    pub fn network(&self) -> &Network {
        &self.network
    }

    pub fn ledger_time(&self) -> Option<Duration> {
        self.ledger_time
    }

    /// The last closed ledger.
    pub fn snapshot(&self) -> Snapshot {
        self.published
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .snapshot
            .clone()
    }

    /// Looks at the kept history; keep it short, for closing a ledger waits for it.
    pub fn with_history<T>(&self, look: impl FnOnce(&History) -> T) -> T {
        look(
            &self
                .published
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .history,
        )
    }

    /// Unix seconds by the network's clock.
    fn now_s(&self) -> u64 {
        wall_s().saturating_add(self.ahead_s.load(Ordering::Relaxed))
    }

    /// Seconds that a time bound must lie behind the last close: up to now, and twice the time
    /// between ledgers on top (core: getUpperBoundCloseTimeOffset).
    fn upper_allowance_s(&self, snapshot: &Snapshot) -> u64 {
        let passed = self.now_s().saturating_sub(snapshot.close_time());
        let twice = self
            .ledger_time
            .map_or(0.0, |time| (time.as_secs_f64() * 2.0).ceil());
        passed + twice as u64
    }

    pub fn send(&self, envelope: Envelope) -> Sent {
        let snapshot = self.snapshot();
        let limits = self.limits();
        let room = limits.pool_room(snapshot.settings(), snapshot.header());
        let refused = |refusal: Refusal| {
            let result = refusal_result(&snapshot, &envelope, &refusal);
            Sent::Refused(Box::new((result, refusal)))
        };
        let place = |pool: &mut Pool| -> Result<Place, Sent> {
            pool.place(&envelope, room.as_ref())
                .map_err(|obstacle| match obstacle {
                    Obstacle::Duplicate => Sent::Duplicate,
                    Obstacle::Later => Sent::TryAgainLater,
                    Obstacle::UsedSequence => refused(Refusal::because(
                        TransactionResultResult::TxBadSeq,
                        "a transaction with a higher sequence number waits",
                    )),
                    Obstacle::BidToReplace(fee) => refused(Refusal::underbid(fee)),
                    Obstacle::BidToEvict(fee) => {
                        pool.ban(envelope.hash());
                        refused(Refusal::underbid(fee))
                    }
                })
        };
        if let Err(sent) = place(&mut held(&self.pool)) {
            return sent;
        }
        if let Err(refusal) = check(&snapshot, &envelope, self.upper_allowance_s(&snapshot)) {
            return refused(refusal);
        }
        // Signatures were checked without the lock: look again before taking it in.
        let mut pool = held(&self.pool);
        let place = match place(&mut pool) {
            Ok(place) => place,
            Err(sent) => return sent,
        };
        let available = account::load(&snapshot, &envelope.fee_source())
            .map_or(0, |payer| account::available(&payer, snapshot.header()));
        if available < pool.fees_with(&envelope, &place) {
            return refused(Refusal::because(
                TransactionResultResult::TxInsufficientBalance,
                "together with the fees of transactions that wait",
            ));
        }
        pool.insert(envelope.clone(), place);
        Sent::Pending
    }

    /// Transactions that wait for a ledger.
    pub fn waiting(&self) -> usize {
        held(&self.pool).len()
    }

    pub fn limits(&self) -> LedgerLimits {
        *held(&self.limits)
    }

    /// Limits in place of the network's, from the next ledger and the next transaction on.
    pub fn set_limits(&self, limits: LedgerLimits) {
        *held(&self.limits) = limits;
    }

    /// Asks friendbot for a new account; the answer comes when its ledger has closed.
    pub fn ask_friendbot(&self, account: AccountId) -> oneshot::Receiver<Paid> {
        let (answer, receiver) = oneshot::channel();
        held(&self.asking).push(Asking { account, answer });
        receiver
    }

    /// Closes a ledger. An error means that the ledger could not be kept, and that this process
    /// must not go on. `order` is asked where there is more than one transaction to apply.
    pub fn close(&self, order: impl FnOnce() -> Order) -> Result<Summary, String> {
        self.close_next(&mut held(&self.closer), order)
    }

    /// Goes so many ledgers and seconds ahead. The last of the ledgers takes in what waits, the
    /// others are empty. Of more than the history keeps only the last ones are made: the first of
    /// them follows the ledger from which the jump started.
    pub fn jump(
        &self,
        ledgers: u32,
        seconds: u64,
        order: impl FnOnce() -> Order,
    ) -> Result<Summary, String> {
        let mut closer = held(&self.closer);
        let from = closer.ledger.snapshot().sequence();
        let began_s = closer.ledger.snapshot().close_time();
        self.ahead_s.fetch_add(seconds, Ordering::Relaxed);
        let lasts_s = u128::from(self.now_s().saturating_sub(began_s));
        let made = ledgers.min(u32::try_from(LEDGERS_KEPT).unwrap_or(u32::MAX));
        for at in (ledgers - made + 1)..ledgers {
            let passed_s = lasts_s * u128::from(at) / u128::from(ledgers);
            let terms = Terms {
                close_time: began_s + u64::try_from(passed_s).unwrap_or(0),
                number: Some(from + at),
                ..Terms::default()
            };
            let closed = closer.ledger.close_with(terms, Vec::new())?;
            self.keep(&mut closer, &closed)?;
        }
        self.close_next(&mut closer, order)
    }

    fn close_next(
        &self,
        closer: &mut Closer,
        order: impl FnOnce() -> Order,
    ) -> Result<Summary, String> {
        let started = Instant::now();
        let before = closer.ledger.snapshot().clone();
        let asking = std::mem::take(&mut *held(&self.asking));
        let (asking, existing): (Vec<Asking>, Vec<Asking>) = asking
            .into_iter()
            .partition(|one| account::load(&before, &one.account).is_none());
        for one in existing {
            // A client that went away before its answer is no concern.
            let _ = one.answer.send(Err(
                "createAccountAlreadyExist: the account exists".to_owned()
            ));
        }
        let wanted: BTreeSet<AccountId> = asking.iter().map(|one| one.account.clone()).collect();
        let candidates = held(&self.pool).candidates();
        let limits = self.limits();
        let terms = Terms {
            close_time: self.now_s(),
            first: friendbot::transactions(&before, &wanted),
            limits,
            number: None,
            order: if candidates.len() > 1 {
                order()
            } else {
                Order::Bid
            },
        };
        let closed = closer.ledger.close_with(terms, candidates)?;
        let record = self.keep(closer, &closed)?;
        held(&self.pool).settle(
            record.sequence,
            closed.applied.iter().map(|one| &one.envelope),
            closed.refused.iter().map(|(envelope, _)| envelope),
            closed.left.iter(),
            limits.waiting_ledgers,
        );
        for (answer, paid) in friendbot_answers(asking, &record) {
            let _ = answer.send(paid);
        }
        if closer.store.is_due() {
            closer.ledger.sweep();
            let snapshot = closer.ledger.snapshot().clone();
            closer.store.rotate(&snapshot)?;
        }
        Ok(summary(record.sequence, &closed, started.elapsed()))
    }

    /// Writes a closed ledger down, and shows it.
    fn keep(&self, closer: &mut Closer, closed: &Closed) -> Result<Arc<LedgerRecord>, String> {
        let has_transactions = !closed.applied.is_empty();
        let place = closer
            .store
            .append(&encode(&closed.meta), has_transactions)?;
        let record = LedgerRecord::of_meta(&closed.meta, place, &self.network)?;
        let mut published = self
            .published
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        published.snapshot = closer.ledger.snapshot().clone();
        published.history.push(record);
        Ok(published.history.latest().clone())
    }

    /// Waits for a ledger that is being closed and forces everything to disk.
    pub fn finish(&self) -> Result<(), String> {
        held(&self.closer).store.finish()
    }
}

fn summary(sequence: u32, closed: &Closed, took: Duration) -> Summary {
    Summary {
        sequence,
        transactions: closed.applied.len(),
        failed: closed.applied.iter().filter(|one| !one.succeeded).count(),
        refused: closed.refused.len(),
        left: closed.left.len(),
        took,
    }
}

fn friendbot_answers(
    asking: Vec<Asking>,
    record: &LedgerRecord,
) -> Vec<(oneshot::Sender<Paid>, Paid)> {
    if asking.is_empty() {
        return Vec::new();
    }
    let mut maker: std::collections::HashMap<AccountId, &Arc<TransactionRecord>> =
        std::collections::HashMap::new();
    for transaction in &record.transactions {
        let Ok(TransactionEnvelope::Tx(v1)) =
            TransactionEnvelope::from_xdr(&transaction.envelope, Limits::none())
        else {
            continue;
        };
        for operation in v1.tx.operations.iter() {
            if let OperationBody::CreateAccount(create) = &operation.body {
                maker
                    .entry(create.destination.clone())
                    .or_insert(transaction);
            }
        }
    }
    asking
        .into_iter()
        .map(|one| {
            let paid = match maker.get(&one.account) {
                Some(transaction) if transaction.succeeded => Ok((*transaction).clone()),
                _ => Err("friendbot's transaction did not succeed".to_owned()),
            };
            (one.answer, paid)
        })
        .collect()
}

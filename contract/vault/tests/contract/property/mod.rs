//! Random operations by random callers, right and wrong ones, against a slow model that says of each whether it may pass; after
//! each the books, requests and cursors are compared with the model and with what the vault holds, and somebody could leave. A run ends
//! with everybody leaving.
//!
//! A run is given by its seed, which a failure prints. `VAULT_PROPERTY_SEED` repeats one, `VAULT_PROPERTY_STEPS` sets the number
//! of operations of each run, `VAULT_PROPERTY_OPERATIONS` asks for runs of other seeds until these have passed, over all calls, and
//! `VAULT_PROPERTY_FRESH` for a new beginning of that: `npm run fuzz:contract`.

mod caller;
mod fuzz;
mod ledger;
mod ledger_reader;
mod model;
mod progress;
mod random;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use vault::{EXIT_DELAY_SECONDS, MIN_CHANGE_DELAY_SECONDS};

use caller::{Caller, Tally};
use progress::{Progress, Run};
use random::Random;

use crate::chain::wasm;

const RUNS: u64 = 4;
const DEFAULT_STEPS: u64 = 300;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number, not {text}")),
    )
}

/// Says how to repeat a run when it panics, whatever made it panic.
struct OnFailure {
    run: Run,
    step: std::cell::Cell<u64>,
}

impl Drop for OnFailure {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "failed at step {} of a run. To repeat it: {}",
                self.step.get(),
                fuzz::command(self.run)
            );
        }
    }
}

fn run(seed: u64, steps: u64) -> Tally {
    let failure = OnFailure {
        run: Run { seed, steps },
        step: std::cell::Cell::new(0),
    };
    let mut caller = Caller::new(Random::new(seed));
    for step in 1..=steps {
        failure.step.set(step);
        caller.step();
        caller.check();
        caller.an_exit_is_possible();
    }
    caller.everybody_leaves();
    caller.tally().clone()
}

/// Runs in which an operation hardly ever passed, or was hardly ever refused, have tested little. Asked of the seeds that are always
/// run, all together; one of many others may be dull.
fn require_variety(tallies: &[Tally]) {
    for (operation, least) in [
        ("deposit", 12),
        ("withdraw", 12),
        ("settle_trade", 6),
        ("settle_batch", 12),
        ("request", 4),
        ("claim", 2),
        ("collect", 4),
    ] {
        for passed in [true, false] {
            let met = tallies
                .iter()
                .filter_map(|tally| tally.get(&(operation, passed)));
            let times: u64 = met.sum();
            assert!(
                times >= least,
                "{operation} with outcome {passed}: {times} times"
            );
        }
    }
}

/// The long form. What has passed is in contract/target/fuzz-contract.progress; a new beginning is at a seed that none before had.
fn fuzz_on(operations: u64, steps: u64) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/fuzz-contract.progress");
    let since_1970 = std::time::UNIX_EPOCH.elapsed().expect("a clock past 1970");
    let first = since_1970.as_millis() as u64;
    let fresh = number("VAULT_PROPERTY_FRESH").is_some();
    let code = fuzz::fingerprint(&wasm());
    let progress = Progress::open(&path, &code, fresh, first);
    println!(
        "{} of {operations} operations passed before, on the same contract and test",
        progress.operations()
    );
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let passed = fuzz::fuzz(progress, operations, steps, cores, |Run { seed, steps }| {
        drop(run(seed, steps));
    });
    assert!(passed, "a run failed: its seed stands above");
}

#[test]
fn random_operations() {
    let steps = number("VAULT_PROPERTY_STEPS").unwrap_or(DEFAULT_STEPS);
    match (
        number("VAULT_PROPERTY_SEED"),
        number("VAULT_PROPERTY_OPERATIONS"),
    ) {
        (Some(seed), _) => drop(run(seed, steps)),
        (None, Some(operations)) => fuzz_on(operations, steps),
        (None, None) => {
            let tallies: Vec<_> = (1..=RUNS).map(|seed| run(seed, steps)).collect();
            if steps >= DEFAULT_STEPS {
                require_variety(&tallies);
            }
        }
    }
}

/// The checks can fail: each of these is something that the model did not see.
#[test]
fn the_checks_notice() {
    type Meddling = fn(&Caller);
    let meddlings: [(&str, Meddling); 4] = [
        ("money that arrived by no deposit", Caller::donate),
        ("fees that no batch has charged", Caller::forge_fees),
        (
            "a balance that changed by no operation",
            Caller::forge_balance,
        ),
        (
            "a balance moved from one account to another",
            Caller::shift_balance,
        ),
    ];
    for (what, meddle) in meddlings {
        let mut caller = Caller::new(Random::new(99));
        (0..60).for_each(|_| caller.step());
        caller.check();
        meddle(&caller);
        assert!(fails(|| caller.check()), "not noticed: {what}");
    }
}

#[test]
fn an_exit_that_is_not_possible_is_noticed() {
    let mut caller = Caller::new(Random::new(99));
    (0..60).for_each(|_| caller.step());
    caller.check();
    caller.an_exit_is_possible();
    caller.lose_money();
    assert!(fails(|| caller.an_exit_is_possible()));
}

/// The contract as it is built, but for one host function that it calls or one number that it knows.
#[test]
fn a_broken_contract_is_noticed() {
    let number = |value: i64| [&[I64_CONST][..], &signed(value)].concat();
    let defects = [
        // The host functions' names stand in soroban-env-common's env.json.
        (
            "anybody may speak for anybody: require_auth is address_to_strkey",
            b"\x01a\x010\x00".to_vec(),
            b"\x01a\x012\x00".to_vec(),
        ),
        (
            "anybody may settle a batch: require_auth_for_args is obj_cmp",
            b"\x01a\x01_\x00".to_vec(),
            b"\x01x\x010\x00".to_vec(),
        ),
        (
            "an exit comes a second early",
            number(EXIT_DELAY_SECONDS as i64),
            number(EXIT_DELAY_SECONDS as i64 - 1),
        ),
        (
            "an engine changes after hours instead of days",
            number(MIN_CHANGE_DELAY_SECONDS as i64),
            number(10_000),
        ),
        (
            "fees may be twice their cap",
            number(1_000_000),
            number(500_000),
        ),
    ];
    for (what, right, wrong) in defects {
        let mut caller = Caller::founded(&changed(&wasm(), &right, &wrong), Random::new(7));
        let noticed = fails(|| {
            for _ in 0..1_000 {
                caller.step();
                caller.check();
            }
        });
        assert!(noticed, "not noticed: {what}");
    }
}

fn fails(work: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(work)).is_err()
}

/// The opcode before a number in wasm.
const I64_CONST: u8 = 0x42;

/// As wasm spells numbers: SLEB128.
fn signed(mut value: i64) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == -i64::from(low & 0x40 != 0) {
            out.push(low);
            return out;
        }
        out.push(low | 0x80);
    }
}

/// The same code with one sequence of bytes, which it has once, changed to another of the same length.
fn changed(code: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let places = code.windows(from.len()).enumerate();
    let places = places.filter(|(_, bytes)| *bytes == from);
    let places = places.map(|(at, _)| at).collect::<Vec<_>>();
    let [at] = places[..] else {
        panic!("{from:02x?} is there {} times", places.len());
    };
    let mut changed = code.to_vec();
    changed[at..at + to.len()].copy_from_slice(to);
    changed
}

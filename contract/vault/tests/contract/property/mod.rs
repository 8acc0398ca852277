//! Random operations by random callers, right and wrong ones, against a slow model that says of each whether it may pass; after
//! each the books, requests and cursors are compared with the model and with what the vault holds. A run ends with everybody leaving.
//!
//! A run is given by its seed, which a failure prints. `VAULT_PROPERTY_SEED` repeats one, `VAULT_PROPERTY_STEPS` sets the number
//! of operations of each run, `VAULT_PROPERTY_OPERATIONS` asks for runs of other seeds until these have passed, over all calls, and
//! `VAULT_PROPERTY_FRESH` for a new beginning of that: `npm run fuzz:contract`.

mod caller;
mod fuzz;
mod ledger_reader;
mod model;
mod progress;
mod random;

use std::path::Path;

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
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| caller.check()));
        assert!(checked.is_err(), "not noticed: {what}");
    }
}

//! Random operations by random callers, right and wrong ones, against a slow model that says of each whether it may pass; after
//! each the books, requests and cursors are compared with the model and with what the vault holds. A run ends with everybody leaving.
//!
//! A run is given by its seed, which a failure prints. `VAULT_PROPERTY_SEED` repeats one, `VAULT_PROPERTY_STEPS` sets the number
//! of operations of each run, `VAULT_PROPERTY_OPERATIONS` asks for as many runs of other seeds as these take: `npm run fuzz:contract`.

mod caller;
mod ledger_reader;
mod model;
mod random;

use std::panic::catch_unwind;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::{Duration, Instant};

use caller::{Caller, Tally};
use random::Random;

const RUNS: u64 = 4;
const DEFAULT_STEPS: u64 = 300;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number, not {text}")),
    )
}

/// Prints the seed when a run panics, whatever made it panic.
struct OnFailure {
    seed: u64,
    step: std::cell::Cell<u64>,
}

impl Drop for OnFailure {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "failed at step {} of the run with VAULT_PROPERTY_SEED={}",
                self.step.get(),
                self.seed
            );
        }
    }
}

fn run(seed: u64, steps: u64) -> Tally {
    let failure = OnFailure {
        seed,
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

/// Runs from a seed that no run before had until these many operations are done, on every core, and says how far it is. The first run
/// that fails ends the others.
fn fuzz(operations: u64, steps: u64) {
    let since_1970 = std::time::UNIX_EPOCH.elapsed().expect("a clock past 1970");
    let first = since_1970.as_millis() as u64;
    let runs = operations.div_ceil(steps);
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let (taken, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let failed = AtomicBool::new(false);
    let began = Instant::now();
    let work = || {
        while !failed.load(Relaxed) {
            let number = taken.fetch_add(1, Relaxed);
            if number >= runs {
                return;
            }
            let ended = catch_unwind(|| drop(run(first + number, steps)));
            failed.fetch_or(ended.is_err(), Relaxed);
            done.fetch_add(steps, Relaxed);
        }
    };
    std::thread::scope(|scope| {
        let workers = (0..cores).map(|_| scope.spawn(work)).collect::<Vec<_>>();
        let mut told = Instant::now();
        while workers.iter().any(|worker| !worker.is_finished()) {
            std::thread::sleep(Duration::from_millis(200));
            if told.elapsed().as_secs() >= 10 {
                told = Instant::now();
                let done = done.load(Relaxed);
                let rate = done as f64 / began.elapsed().as_secs_f64();
                let left = (runs * steps - done) as f64 / rate / 60.0;
                println!(
                    "{done} of {operations} operations, {rate:.0} a second, {left:.0} minutes left"
                );
            }
        }
    });
    assert!(!failed.load(Relaxed), "a run failed: its seed stands above");
    let last = first + runs - 1;
    let seconds = began.elapsed().as_secs();
    println!(
        "{} operations passed in {seconds} s on {cores} cores: seeds {first} to {last}, {steps} operations each",
        done.load(Relaxed)
    );
}

#[test]
fn random_operations() {
    let steps = number("VAULT_PROPERTY_STEPS").unwrap_or(DEFAULT_STEPS);
    match (
        number("VAULT_PROPERTY_SEED"),
        number("VAULT_PROPERTY_OPERATIONS"),
    ) {
        (Some(seed), _) => drop(run(seed, steps)),
        (None, Some(operations)) => fuzz(operations, steps),
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

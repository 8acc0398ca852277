//! The long form: runs of one seed after another on every core, until so many operations have passed.

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use super::progress::{Progress, Run};

const TELL_EVERY: Duration = Duration::from_secs(10);

/// What is left to do. What failed before comes first: as long as it fails, nothing else is worth its time.
struct Plan {
    progress: Progress,
    again: Vec<Run>,
    last: Option<u64>,
    /// Operations that passed, or are being tried.
    taken: u64,
    operations: u64,
    steps: u64,
    failed: bool,
}

impl Plan {
    fn next(&mut self) -> Option<Run> {
        if self.failed {
            return None;
        }
        let run = match self.again.pop() {
            Some(run) => run,
            None if self.taken >= self.operations => return None,
            None => {
                let seed = self.progress.seed_after(self.last);
                self.last = Some(seed);
                Run {
                    seed,
                    steps: self.steps,
                }
            }
        };
        self.taken += run.steps;
        Some(run)
    }

    fn end(&mut self, run: Run, passed: bool) {
        if passed {
            self.progress.note_passed(run);
        } else {
            self.progress.note_failed(run);
            self.failed = true;
        }
    }
}

/// Tries runs of these many steps until these many operations have passed, in this process or in others before it. The first run that
/// fails ends the others. Returns whether all passed, and says every ten seconds how far it is.
pub fn fuzz(
    progress: Progress,
    operations: u64,
    steps: u64,
    cores: usize,
    run: impl Fn(Run) + Sync + std::panic::RefUnwindSafe,
) -> bool {
    let before = progress.operations();
    let again = progress.failed();
    for run in &again {
        println!("failed before: {}", command(*run));
    }
    let plan = Mutex::new(Plan {
        taken: before,
        last: None,
        failed: false,
        progress,
        again,
        operations,
        steps,
    });
    let began = Instant::now();
    let work = || {
        loop {
            let next = plan.lock().expect("no plan panics").next();
            let Some(next) = next else { return };
            let passed = catch_unwind(|| run(next)).is_ok();
            plan.lock().expect("no plan panics").end(next, passed);
        }
    };
    let passed = || plan.lock().expect("no plan panics").progress.operations();
    std::thread::scope(|scope| {
        let workers = (0..cores).map(|_| scope.spawn(work)).collect::<Vec<_>>();
        let mut told = Instant::now();
        while workers.iter().any(|worker| !worker.is_finished()) {
            std::thread::sleep(Duration::from_millis(20));
            if told.elapsed() < TELL_EVERY {
                continue;
            }
            told = Instant::now();
            let passed = passed();
            let rate = (passed - before) as f64 / began.elapsed().as_secs_f64();
            let left = operations.saturating_sub(passed) as f64 / rate / 60.0;
            println!(
                "{passed} of {operations} operations, {rate:.0} a second, {left:.0} minutes left"
            );
        }
    });
    let plan = plan.into_inner().expect("no plan panics");
    for run in plan.progress.failed() {
        println!("failed: {}", command(run));
    }
    let (passed, seconds) = (plan.progress.operations(), began.elapsed().as_secs());
    println!("{passed} operations passed, {before} of them before; {seconds} s on {cores} cores");
    plan.progress.failed().is_empty()
}

/// How to repeat a run.
pub fn command(run: Run) -> String {
    format!(
        "npm run fuzz:contract -- --seed {} --steps {}",
        run.seed, run.steps
    )
}

/// A digest of what the long form tries, and of how: the contract as built, these tests, the crates they are built with.
pub fn fingerprint(contract: &[u8]) -> String {
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = vec![crate_dir.join("../Cargo.lock")];
    list(&crate_dir.join("tests/contract"), &mut sources);
    sources.sort();
    let mut digest = Sha256::new();
    digest.update(Sha256::digest(contract));
    for source in sources {
        let content = std::fs::read(&source).expect("a source can be read");
        digest.update(Sha256::digest(&content));
    }
    let bytes = digest.finalize();
    bytes[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn list(dir: &Path, sources: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("the tests can be listed") {
        let path = entry.expect("the tests can be listed").path();
        if path.is_dir() {
            list(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(path);
        }
    }
}

/// A file of its own for a test.
fn state(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    drop(std::fs::remove_file(&path));
    path
}

/// Runs of 10 steps on 3 threads until 100 operations have passed, from seed 50 on, with these failing. What was tried, and whether all
/// passed.
fn attempt(path: &Path, code: &str, fresh: bool, failing: &[u64]) -> (Vec<u64>, bool) {
    let tried = Mutex::new(Vec::new());
    let progress = Progress::open(path, code, fresh, 50);
    let passed = fuzz(progress, 100, 10, 3, |run| {
        tried.lock().unwrap().push(run.seed);
        // Not a panic: the hook would print it among the results.
        if failing.contains(&run.seed) {
            std::panic::resume_unwind(Box::new("made to fail"));
        }
    });
    let mut tried = tried.into_inner().unwrap();
    tried.sort_unstable();
    (tried, passed)
}

fn lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn what_has_passed_is_not_tried_again() {
    let path = state("goes-on");
    assert_eq!(attempt(&path, "a", false, &[]), ((50..60).collect(), true));
    assert_eq!(attempt(&path, "a", false, &[]), (vec![], true));
    // Killed after four runs, in the middle of writing the fifth, which was not the next one.
    let text = "began a 50\npassed 50 10\npassed 51 10\npassed 53 10\npassed 54 10\npassed 52";
    std::fs::write(&path, text).unwrap();
    let left = [52, 55, 56, 57, 58, 59].to_vec();
    assert_eq!(attempt(&path, "a", false, &[]), (left, true));
    let mut all = lines(&path);
    assert_eq!(all.len(), 11);
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 11);
}

#[test]
fn another_contract_begins_anew_and_so_does_who_asks_for_it() {
    let path = state("begins-anew");
    assert_eq!(attempt(&path, "a", false, &[]), ((50..60).collect(), true));
    assert_eq!(attempt(&path, "b", false, &[]), ((50..60).collect(), true));
    assert_eq!(attempt(&path, "b", false, &[]), (vec![], true));
    assert_eq!(attempt(&path, "b", true, &[]), ((50..60).collect(), true));
    assert_eq!(attempt(&path, "a", false, &[]).0.len(), 10);
}

#[test]
fn a_failed_run_comes_first_until_it_passes() {
    let path = state("failed");
    let (tried, passed) = attempt(&path, "a", false, &[52]);
    assert!(tried.contains(&52) && !passed);
    assert!(lines(&path).contains(&"failed 52 10".to_owned()));
    for (code, fresh) in [("a", false), ("b", false), ("b", true)] {
        let (tried, passed) = attempt(&path, code, fresh, &[52]);
        assert!(tried.contains(&52) && !passed, "{code} {fresh}");
    }
    let (tried, passed) = attempt(&path, "b", false, &[]);
    assert!(tried.contains(&52) && passed);
    assert_eq!(attempt(&path, "b", false, &[]), (vec![], true));
    let passed = lines(&path)
        .iter()
        .filter(|line| *line == "passed 52 10")
        .count();
    assert_eq!(passed, 1);
}

#[test]
fn two_at_once_are_refused() {
    let path = state("two");
    let first = Progress::open(&path, "a", false, 1);
    let second = catch_unwind(|| drop(Progress::open(&path, "a", false, 1)));
    assert!(second.is_err());
    drop(first);
    Progress::open(&path, "a", false, 1);
}

#[test]
fn what_is_not_understood_is_refused() {
    for line in ["passed 1", "passed 1 x", "began a", "skipped 1 10", ""] {
        let path = state("not-understood");
        std::fs::write(&path, format!("began a 1\n{line}\n")).unwrap();
        let opened = catch_unwind(|| drop(Progress::open(&path, "a", false, 1)));
        assert!(opened.is_err(), "{line}");
    }
}

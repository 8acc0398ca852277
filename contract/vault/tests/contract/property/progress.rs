//! What of the long form has passed, in a file, so that an interrupted one goes on where it was. Lines are only ever added:
//!
//! ```text
//! began CODE FIRST      what was tried from here on, and the first seed; nothing that passed before counts any more
//! passed SEED STEPS
//! failed SEED STEPS     until the same run passes, whatever began since
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::Path;

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Run {
    pub seed: u64,
    pub steps: u64,
}

pub struct Progress {
    file: File,
    code: String,
    first: u64,
    /// Seed → steps.
    passed: BTreeMap<u64, u64>,
    failed: BTreeSet<Run>,
}

impl Progress {
    /// Goes on with what the file says about this code, and otherwise begins at the seed `first`. The file is this process's own until
    /// it ends.
    pub fn open(path: &Path, code: &str, fresh: bool, first: u64) -> Self {
        let name = path.display();
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(true).open(path);
        let mut file = file.unwrap_or_else(|error| panic!("{name} can't be opened: {error}"));
        if let Err(error) = file.try_lock() {
            panic!("another run may be writing to {name}: {error}");
        }
        let mut text = String::new();
        file.read_to_string(&mut text)
            .unwrap_or_else(|error| panic!("{name} can't be read: {error}"));
        // A process that was killed may have written half a line.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        file.set_len(whole as u64).expect("half a line can be cut");
        let mut progress = Self {
            file,
            code: String::new(),
            first,
            passed: BTreeMap::new(),
            failed: BTreeSet::new(),
        };
        for (number, line) in (1..).zip(text[..whole].lines()) {
            let read = progress.read(line);
            read.unwrap_or_else(|| panic!("line {number} of {name} is not understood: {line}"));
        }
        if fresh || progress.code != code {
            progress.note(&format!("began {code} {first}"));
        }
        progress
    }

    /// Operations that passed.
    pub fn operations(&self) -> u64 {
        self.passed.values().sum()
    }

    /// Runs that failed and have not passed since.
    pub fn failed(&self) -> Vec<Run> {
        self.failed.iter().copied().collect()
    }

    /// The next seed after `last`, or the first one, that neither passed nor failed.
    pub fn seed_after(&self, last: Option<u64>) -> u64 {
        let mut seeds = last.map_or(self.first, |last| last + 1)..;
        let failed = |seed: u64| self.failed.iter().any(|run| run.seed == seed);
        let unknown = seeds.find(|seed| !self.passed.contains_key(seed) && !failed(*seed));
        unknown.expect("there are more seeds than anybody tries")
    }

    pub fn note_passed(&mut self, run: Run) {
        self.note(&format!("passed {} {}", run.seed, run.steps));
    }

    pub fn note_failed(&mut self, run: Run) {
        self.note(&format!("failed {} {}", run.seed, run.steps));
    }

    fn note(&mut self, line: &str) {
        let written = self.file.write_all(format!("{line}\n").as_bytes());
        written.expect("progress can be written");
        self.read(line).expect("what was written is understood");
    }

    fn read(&mut self, line: &str) -> Option<()> {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["began", code, first] => {
                self.code = code.to_owned();
                self.first = first.parse().ok()?;
                self.passed.clear();
            }
            ["passed", seed, steps] => {
                let run = Run::read(seed, steps)?;
                self.failed.remove(&run);
                self.passed.insert(run.seed, run.steps);
            }
            ["failed", seed, steps] => {
                let run = Run::read(seed, steps)?;
                self.passed.remove(&run.seed);
                self.failed.insert(run);
            }
            _ => return None,
        }
        Some(())
    }
}

impl Run {
    fn read(seed: &str, steps: &str) -> Option<Self> {
        Some(Self {
            seed: seed.parse().ok()?,
            steps: steps.parse().ok()?,
        })
    }
}

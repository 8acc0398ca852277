use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use crate::transaction::Cost;
use crate::xdr::hex;

/// Where and of what the figures are. They are metered, not timed, so only the versions change them.
pub fn machine(wasm: &[u8]) {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |now| now.as_secs());
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!(
        "{{\"bench\":\"contract\",\"machine\":\"{model}\",\"cores\":{cores},\"os\":\"{} {}\",\"protocol\":{},\
         \"soroban_env_host\":\"{}\",\"wasm_bytes\":{},\"wasm_sha256\":\"{}\",\"unix_seconds\":{seconds}}}",
        std::env::consts::OS,
        std::env::consts::ARCH,
        localnet::network::PROTOCOL,
        soroban_env_host::VERSION.pkg,
        wasm.len(),
        hex(&Sha256::digest(wasm)),
    );
}

pub struct Report {
    bench: String,
}

impl Report {
    pub fn new(bench: &str) -> Self {
        Self {
            bench: bench.to_owned(),
        }
    }

    pub fn line(&self, case: &str, metric: &str, value: impl std::fmt::Display, unit: &str) {
        println!(
            "{{\"bench\":\"{}\",\"case\":\"{case}\",\"metric\":\"{metric}\",\"value\":{value},\"unit\":\"{unit}\"}}",
            self.bench
        );
    }

    pub fn cost(&self, case: &str, cost: &Cost) {
        self.line(case, "instructions", cost.instructions, "instructions");
        self.line(case, "write_entries", cost.write_entries, "entries");
        self.line(case, "write_bytes", cost.write_bytes, "bytes");
        self.line(case, "footprint_entries", cost.footprint_entries, "entries");
        self.line(case, "transaction_bytes", cost.transaction_bytes, "bytes");
        self.line(case, "event_bytes", cost.event_bytes, "bytes");
        self.line(case, "memory", cost.memory_bytes, "bytes");
        self.line(case, "fee", cost.fee, "stroops");
        self.line(case, "rent", cost.rent, "stroops");
    }
}

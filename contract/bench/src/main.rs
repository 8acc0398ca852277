//! What the vault's calls cost, measured on the path by which validators execute them: enforced footprint, XDR in and out, parsed
//! modules kept, the public network's fee rates. Prints JSON lines.
//!
//! Arguments: the contract, and any number of variants to compare it with, as `accounts-per-page=path`.

mod batches;
mod calls;
mod chain;
mod deltas;
mod report;
mod transaction;
mod vault;
mod xdr;

use std::process::ExitCode;

use report::Report;

/// The page size of the contract itself.
const ACCOUNTS_PER_PAGE: u32 = 32;

pub type Outcome<T> = Result<T, String>;

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("bench: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Vec<String>) -> Outcome<()> {
    let (path, variants) = arguments
        .split_first()
        .ok_or("usage: contract-bench vault.wasm [accounts-per-page=variant.wasm …]")?;
    let wasm = read(path)?;
    report::machine(&wasm);
    let report = Report::new("contract");
    calls::measure(&wasm, &report)?;
    batches::measure(&wasm, ACCOUNTS_PER_PAGE, &report)?;
    for variant in variants {
        let (accounts_per_page, path) = variant
            .split_once('=')
            .ok_or_else(|| format!("{variant} is not accounts-per-page=path"))?;
        let size = accounts_per_page
            .parse()
            .map_err(|_| format!("{accounts_per_page} is not a number of accounts"))?;
        let report = Report::new(&format!("contract with pages of {size}"));
        batches::measure(&read(path)?, size, &report)?;
    }
    Ok(())
}

fn read(path: &str) -> Outcome<Vec<u8>> {
    std::fs::read(path).map_err(|error| format!("{path}: {error}; run scripts/build-contract.sh"))
}

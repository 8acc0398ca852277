//! The command line.

use std::path::PathBuf;
use std::time::Duration;

pub const USAGE: &str = "\
usage: localnet [options]

A Stellar network in one process, on this machine only.

  --port N             port to listen on, 0 for any free one (default 8000)
  --ledger-time TIME   seconds between ledgers, such as 5 or 0.5 (default 5),
                       or manual: a ledger closes when POST /admin/close asks for it
  --state DIR          where the ledger is kept (default .localnet)
  --admin on|off       whether /admin/… is served: close, jump, limits, faults
                       (default on with --ledger-time manual, off otherwise)
  --passphrase TEXT    the network's passphrase
                       (default \"Standalone Network ; February 2017\")
  --help               this text";

const OPTIONS: [&str; 5] = [
    "--port",
    "--ledger-time",
    "--state",
    "--admin",
    "--passphrase",
];
const LEDGER_TIME_MIN_S: f64 = 0.05;
const LEDGER_TIME_MAX_S: f64 = 3_600.0;

#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    pub port: u16,
    /// `None`: by hand.
    pub ledger_time: Option<Duration>,
    pub state: PathBuf,
    /// Whether the admin interface is served.
    pub admin: bool,
    pub passphrase: String,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    Help,
    Run(Options),
}

/// Reads the arguments; the error is one sentence.
pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Command, String> {
    let mut options = Options {
        port: 8_000,
        ledger_time: Some(Duration::from_secs(5)),
        state: PathBuf::from(".localnet"),
        admin: false,
        passphrase: "Standalone Network ; February 2017".to_owned(),
    };
    let mut admin = None;
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let (name, inline) = match argument.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (argument, None),
        };
        if name == "--help" {
            return Ok(Command::Help);
        }
        if !OPTIONS.contains(&name.as_str()) {
            return Err(format!(
                "There is no option {name}; --help lists those there are."
            ));
        }
        let value = inline
            .or_else(|| arguments.next())
            .filter(|value| !value.is_empty())
            .ok_or_else(|| format!("The option {name} needs a value."))?;
        match name.as_str() {
            "--port" => {
                options.port = value.parse().map_err(|_| {
                    format!("--port must be a number from 0 to 65535, not \"{value}\".")
                })?;
            }
            "--ledger-time" => options.ledger_time = ledger_time(&value)?,
            "--admin" => {
                admin = match value.as_str() {
                    "on" => Some(true),
                    "off" => Some(false),
                    _ => return Err(format!("--admin must be on or off, not \"{value}\".")),
                }
            }
            "--state" => options.state = PathBuf::from(value),
            _ => options.passphrase = value,
        }
    }
    // Where ledgers close by themselves nothing needs it, and others may rely on the network.
    options.admin = admin.unwrap_or(options.ledger_time.is_none());
    if options.ledger_time.is_none() && !options.admin {
        return Err(
            "--ledger-time manual needs --admin on: nothing else closes a ledger.".to_owned(),
        );
    }
    Ok(Command::Run(options))
}

fn ledger_time(value: &str) -> Result<Option<Duration>, String> {
    if value == "manual" {
        return Ok(None);
    }
    value
        .parse::<f64>()
        .ok()
        .filter(|seconds| (LEDGER_TIME_MIN_S..=LEDGER_TIME_MAX_S).contains(seconds))
        .map(|seconds| Some(Duration::from_secs_f64(seconds)))
        .ok_or_else(|| {
            format!(
                "--ledger-time must be seconds from {LEDGER_TIME_MIN_S} to {LEDGER_TIME_MAX_S}, \
                 or manual, not \"{value}\"."
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Command, String> {
        parse(arguments.iter().map(|argument| (*argument).to_owned()))
    }

    #[test]
    fn good_arguments() {
        let Ok(Command::Run(options)) = parsed(&[
            "--port",
            "0",
            "--ledger-time=0.25",
            "--state",
            "/tmp/x",
            "--passphrase",
            "p",
        ]) else {
            panic!("refused");
        };
        assert_eq!(options.port, 0);
        assert_eq!(options.ledger_time, Some(Duration::from_millis(250)));
        assert_eq!(options.passphrase, "p");
        let Ok(Command::Run(options)) = parsed(&["--ledger-time", "manual"]) else {
            panic!("refused");
        };
        assert_eq!(options.ledger_time, None);
        assert!(options.admin, "nothing else closes a ledger");
        let Ok(Command::Run(options)) = parsed(&["--admin", "on"]) else {
            panic!("refused");
        };
        assert!(options.admin);
        let Ok(Command::Run(options)) = parsed(&["--ledger-time", "5"]) else {
            panic!("refused");
        };
        assert!(!options.admin);
        let Ok(Command::Run(options)) = parsed(&["--admin=off"]) else {
            panic!("refused");
        };
        assert!(!options.admin);
        assert_eq!(parsed(&["--help"]), Ok(Command::Help));
    }

    #[test]
    fn bad_arguments_are_one_sentence() {
        for arguments in [
            &["--prot", "1"][..],
            &["--port"],
            &["--port", "65536"],
            &["--port="],
            &["--ledger-time", "0"],
            &["--ledger-time", "-1"],
            &["--ledger-time", "NaN"],
            &["--ledger-time", "soon"],
            &["extra"],
            &["--admin", "yes"],
            &["--ledger-time", "manual", "--admin", "off"],
        ] {
            let error = parsed(arguments).unwrap_err();
            assert!(error.ends_with('.') && !error.contains('\n'), "{error}");
        }
    }
}

//! Answers and errors of JSON-RPC 2.0, and reading parameters.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use stellar_xdr::WriteXdr;

/// An error as JSON-RPC numbers it.
#[derive(Debug)]
pub struct Fault {
    code: i64,
    message: String,
}

pub type Answer = Result<Value, Fault>;

impl Fault {
    pub fn parse(message: impl Into<String>) -> Self {
        Self {
            code: -32_700,
            message: message.into(),
        }
    }

    pub fn request(message: impl Into<String>) -> Self {
        Self {
            code: -32_600,
            message: message.into(),
        }
    }

    pub fn method(name: &str) -> Self {
        Self {
            code: -32_601,
            message: format!("method not found: {name}"),
        }
    }

    pub fn parameters(message: impl Into<String>) -> Self {
        Self {
            code: -32_602,
            message: message.into(),
        }
    }

    pub fn internal(message: impl Into<String>) -> Self {
        Self {
            code: -32_603,
            message: message.into(),
        }
    }
}

/// The whole body of an answer.
pub fn body(id: Value, answer: Answer) -> Value {
    match answer {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(Fault { code, message }) => {
            json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
        }
    }
}

pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub fn xdr(value: &impl WriteXdr) -> String {
    base64(&crate::ledger::encode(value))
}

pub fn bytes(text: &str, what: &str) -> Result<Vec<u8>, Fault> {
    STANDARD
        .decode(text)
        .map_err(|_| Fault::parameters(format!("{what} is not base64")))
}

pub fn text<'a>(parameters: &'a Value, name: &str) -> Result<&'a str, Fault> {
    parameters[name]
        .as_str()
        .ok_or_else(|| Fault::parameters(format!("the parameter \"{name}\" must be a string")))
}

/// An unsigned number that may be left out.
pub fn number(parameters: &Value, name: &str) -> Result<Option<u64>, Fault> {
    match &parameters[name] {
        Value::Null => Ok(None),
        value => value.as_u64().map(Some).ok_or_else(|| {
            Fault::parameters(format!("the parameter \"{name}\" must be a number from 0"))
        }),
    }
}

/// Values are given in base64; other forms that Stellar RPC knows are not offered.
pub fn check_format(parameters: &Value) -> Result<(), Fault> {
    match parameters["xdrFormat"].as_str() {
        None | Some("" | "base64") => Ok(()),
        Some(other) => Err(Fault::parameters(format!(
            "xdrFormat \"{other}\" is not offered"
        ))),
    }
}

//! The admin calls `/admin/faults`: GET lists what is set, POST sets one, DELETE removes all, or
//! the one whose id is named.

use super::fault::Fault;
use super::{FAULTS_MAX, Faults};
use crate::rpc::refusal::{Refused, refuse};
use crate::rpc::server::Rpc;
use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};
use std::sync::Arc;

fn faults(rpc: &Rpc) -> Result<&Faults, Refused> {
    rpc.faults()
        .ok_or_else(|| refuse("there are no faults without the admin interface"))
}

fn listed(faults: &Faults) -> Json<Value> {
    Json(json!({ "faults": faults.list() }))
}

pub async fn show(State(rpc): State<Arc<Rpc>>) -> Result<Json<Value>, Refused> {
    Ok(listed(faults(&rpc)?))
}

pub async fn add(
    State(rpc): State<Arc<Rpc>>,
    Json(stated): Json<Value>,
) -> Result<Json<Value>, Refused> {
    let fault = Fault::parse(stated).map_err(refuse)?;
    match faults(&rpc)?.add(fault) {
        Some(described) => Ok(Json(described)),
        None => Err(refuse(format!("{FAULTS_MAX} faults are set; remove some"))),
    }
}

pub async fn remove(
    State(rpc): State<Arc<Rpc>>,
    Path(id): Path<u64>,
) -> Result<Json<Value>, Refused> {
    let faults = faults(&rpc)?;
    if !faults.remove(id) {
        return Err(refuse(format!("there is no fault {id}")));
    }
    Ok(listed(faults))
}

pub async fn clear(State(rpc): State<Arc<Rpc>>) -> Result<Json<Value>, Refused> {
    let faults = faults(&rpc)?;
    faults.clear();
    Ok(listed(faults))
}

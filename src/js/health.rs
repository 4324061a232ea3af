//! Health checks.

use wasm_bindgen::prelude::wasm_bindgen;

use super::json::Json;
use super::{added, with};
use crate::health::{Health, HealthCheck, HealthStatus};

/// Adds a health check; its outcome is `{"status", "latencyMs", "checkedAt", "error"?}`, times in milliseconds.
#[wasm_bindgen]
pub fn push_health(batch: f64, now: f64, timeout_ms: f64) -> Option<String> {
    let check = HealthCheck::new(timeout_ms as u64);
    added(with(batch, |batch| batch.op(check, now as u64, told)))
}

fn told(health: Health) -> String {
    let mut json = Json::default();
    json.raw(match health.status {
        HealthStatus::Healthy => "{\"status\":\"healthy\"",
        HealthStatus::Degraded => "{\"status\":\"degraded\"",
        HealthStatus::Unhealthy => "{\"status\":\"unhealthy\"",
    });
    json.number(",\"latencyMs\":", health.latency_ms);
    json.number(",\"checkedAt\":", health.checked_at);
    if let Some(code) = health.error {
        json.raw(",\"error\":\"");
        json.raw(code);
        json.raw("\"");
    }
    json.raw("}");
    json.text
}

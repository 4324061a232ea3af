//! Health checks.

use wasm_bindgen::prelude::wasm_bindgen;

use super::{added, with};
use crate::health::{Health, HealthCheck, HealthStatus};

/// Adds a health check; its outcome is `{"status", "latencyMs", "checkedAt", "error"?}`, times in milliseconds.
#[wasm_bindgen]
pub fn push_health(batch: f64, now: f64, timeout_ms: f64) -> Option<String> {
    let check = HealthCheck::new(timeout_ms as u64);
    added(with(batch, |batch| batch.op(check, now as u64, json)))
}

fn json(health: Health) -> String {
    let mut number = itoa::Buffer::new();
    let status = match health.status {
        HealthStatus::Healthy => "healthy",
        HealthStatus::Degraded => "degraded",
        HealthStatus::Unhealthy => "unhealthy",
    };
    let mut json = "{\"status\":\"".to_owned() + status + "\",\"latencyMs\":";
    json += number.format(health.latency_ms);
    json += ",\"checkedAt\":";
    json += number.format(health.checked_at);
    if let Some(code) = health.error {
        json += ",\"error\":\"";
        json += code;
        json.push('"');
    }
    json.push('}');
    json
}

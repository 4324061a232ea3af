//! The console's files. They hold nothing that anybody may not see.

use worker::{Env, Request, RequestInit, Response};

use super::failure::Failure;
use super::input::Target;

/// Scripts, styles and pictures of this site alone, none of them in the page's text; nobody frames it; a form goes
/// nowhere, so a token that was typed is in no address.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `GET /api/console/`, and `GET /` where there is no origin.
pub(super) async fn file(file: &str, request: &Request, env: &Env) -> Result<Response, Failure> {
    let mut init = RequestInit::new();
    init.with_headers(request.headers().clone());
    // The assets know no host, and a segment no slash.
    let asked = Request::new_with_init(&(String::from("https://assets/") + file), &init)?;
    let asset = env.assets("ASSETS")?.fetch_request(asked).await?;
    if !matches!(asset.status_code(), 200 | 304) {
        return Err(Failure::not_found());
    }
    let headers = asset.headers().clone();
    for (name, value) in [
        ("Content-Security-Policy", POLICY),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Cache-Control", "no-cache"),
    ] {
        headers.set(name, value)?;
    }
    Ok(asset.with_headers(headers))
}

/// The files are named relative to the folder.
pub(super) fn to_console(target: &Target) -> Result<Response, Failure> {
    let headers = worker::Headers::new();
    let console = target.public_base().to_owned() + "/api/console/";
    headers.set("Location", &console)?;
    Ok(Response::empty()?.with_status(308).with_headers(headers))
}

//! The deployable Worker: the front of `ORIGIN_URL`, `GET /api/health`, the console, and the demonstration routes when
//! `DEMO=1`.

mod admin;
mod app;
mod assets;
mod demo;
mod failure;
mod front;
mod input;
mod origin;
mod page;
mod route;
mod session;
mod watch;

use worker::{Context, Env, Request, Response, event};

use app::App;
use failure::Failure;
use input::Target;
use route::Route;

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> worker::Result<Response> {
    let config = front::config(&env);
    if let Ok(Some(config)) = &config
        && !Target::of(&request).is_own()
    {
        return front::serve(config, request, &env, &context).await;
    }
    if let Err(error) = config {
        return Failure::from(error).response();
    }
    let head = request.method() == worker::Method::Head;
    let response = match respond(request, &env, &context).await {
        Ok(response) => response,
        Err(failure) => failure.response()?,
    };
    if head {
        // The same headers, no body (RFC 9110, section 9.3.2).
        return Ok(Response::builder()
            .with_status(response.status_code())
            .with_headers(response.headers().clone())
            .empty());
    }
    Ok(response)
}

async fn respond(mut request: Request, env: &Env, context: &Context) -> Result<Response, Failure> {
    let started = worker::Date::now().as_millis();
    let target = Target::of(&request);
    let app = App::new(env, context);
    let demo = app::has_demo(env);
    let route = Route::of(&request.inner().method(), &target.segments(), demo)?;
    let app = match route {
        Route::Asset(file) => return assets::file(&file, &request, env).await,
        Route::Console => return assets::to_console(&target),
        _ => app?,
    };
    if let Route::Admin(route) = route {
        let answer = app.admin(&route, request, &target, env).await?;
        return Ok(answer);
    }
    input::same_site(&request)?;
    if let Route::Health = route {
        return app.health().await;
    }
    let answer = demonstrated(&app, route, &mut request, &target).await?;
    watch::saw(&answer, started, &app.trips, env);
    Ok(answer)
}

/// What the demonstration answers.
async fn demonstrated(
    app: &App<'_>,
    route: Route,
    request: &mut Request,
    target: &Target,
) -> Result<Response, Failure> {
    match route {
        Route::Limit { id } => app.limit(&id, &target.query()?).await,
        Route::CacheGet { key } => app.cache_get(&key).await,
        Route::CachePut { key } => {
            let value = input::json(request).await?;
            app.cache_put(&key, &value, &target.query()?).await
        }
        Route::CacheDelete { key } => app.cache_delete(&key).await,
        Route::Fetch { key } => app.fetch(&key, &target.query()?).await,
        Route::SessionGet => app.session_get(request).await,
        Route::SessionPut => {
            let data = input::json(request).await?;
            app.session_put(request, data).await
        }
        Route::Login => {
            let body = input::json(request).await?;
            app.login(request, &body).await
        }
        Route::Logout => app.logout(request).await,
        Route::Page => {
            let address = input::address(request)?;
            app.page(&address, &input::cookies(request)?).await
        }
        Route::Health | Route::Asset(_) | Route::Console | Route::Admin(_) => {
            Err(Failure::not_found())
        }
    }
}

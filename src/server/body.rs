//! The body of a request, read whole within its bounds.
//!
//! Invariant: no body is read further than its bound, or for longer than its time.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::http::{HeaderMap, StatusCode, header};
use futures_util::stream::{self, StreamExt as _};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use tokio::time::error::Elapsed;

use super::app::App;
use super::problem::Problem;

/// Reads a body of at most so many bytes, which comes in time.
pub(super) async fn read(app: &App, body: Body, most: usize) -> Result<Bytes, Problem> {
    // What is announced as too long is not read at all.
    if body.size_hint().lower() > most as u64 {
        return Err(too_large(most));
    }
    let within = Duration::from_millis(app.config_now().server.body_within.as_millis());
    match in_time(within, whole(body, most)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => {
            let is_long = std::error::Error::source(&error)
                .is_some_and(|source| source.is::<http_body_util::LengthLimitError>());
            match is_long {
                true => Err(too_large(most)),
                false => Err(Problem::bad("body", "the body did not come whole")),
            }
        }
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "slow",
            "the body took too long to come",
        )),
    }
}

/// A body of at most so many bytes.
///
/// PERF: most bodies come in one piece, which is taken as it is.
async fn whole(mut body: Body, most: usize) -> Result<Bytes, axum::Error> {
    let first = match body.frame().await {
        None => return Ok(Bytes::new()),
        Some(frame) => frame?.into_data().unwrap_or_default(),
    };
    if body.is_end_stream() && first.len() <= most {
        return Ok(first);
    }
    let first = stream::once(async move { Ok(first) });
    let all = Body::from_stream(first.chain(body.into_data_stream()));
    to_bytes(all, most).await
}

/// What a future comes to, if it does in time.
///
/// PERF: most bodies are here when they are looked at for the second time. Only the others need a timer, which
/// all threads keep in one place.
async fn in_time<F: Future>(within: Duration, future: F) -> Result<F::Output, Elapsed> {
    let mut future = pin!(future);
    let mut looks = 0;
    let soon = poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if looks == 0 => {
            looks += 1;
            context.waker().wake_by_ref();
            Poll::Pending
        }
        Poll::Pending => Poll::Ready(None),
    });
    match soon.await {
        Some(done) => Ok(done),
        None => tokio::time::timeout(within, future).await,
    }
}

fn too_large(most: usize) -> Problem {
    let message = format!("the body has more than {most} bytes");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
}

/// Reads a body as JSON. An empty one is an empty object.
pub(super) async fn json<T: DeserializeOwned>(
    app: &App,
    headers: &HeaderMap,
    body: Body,
    most: usize,
) -> Result<T, Problem> {
    is_json(headers)?;
    let bytes = read(app, body, most).await?;
    parse(&bytes)
}

/// A body as JSON. An empty one is an empty object.
pub(super) fn parse<'b, T: serde::Deserialize<'b>>(bytes: &'b [u8]) -> Result<T, Problem> {
    let bytes = match bytes.trim_ascii().is_empty() {
        true => b"{}",
        false => bytes,
    };
    serde_json::from_slice(bytes).map_err(|error| {
        let message = format!("the body is not what this takes: {error}");
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "body", message)
    })
}

/// Refuses what is said to be something else than JSON: a form of another site cannot say that it is.
pub(super) fn is_json(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE);
    let Some(kind) = kind else {
        return Ok(());
    };
    let kind = kind.to_str().unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let is_json = kind.eq_ignore_ascii_case("application/json")
        || (kind.starts_with("application/") && kind.ends_with("+json"));
    match is_json {
        true => Ok(()),
        false => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "media_type",
            "the body is to be `application/json`",
        )),
    }
}

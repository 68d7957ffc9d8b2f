//! What went wrong, as a client is told: RFC 9457 with a stable code. The one place that knows which HTTP
//! status an error is.
//!
//! Invariant: what a caller may not see and what is not there are one answer; no problem says anything that
//! a caller could take for leave to go on: `word` is `block`.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::desk::DeskError;
use crate::escalation::Refusal;
use crate::store::{StoreError, StoreErrorKind};

/// A problem.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "type": "urn:laneway:problem:not_found", "title": "Not Found", "status": 404, "code": "not_found",
    "detail": "there is no such thing, or it is not yours to see", "word": "block",
}))]
pub struct Problem {
    /// A name for the kind of problem, as a URN.
    #[serde(rename = "type")]
    kind: String,
    /// The phrase of the status.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// The stable code, such as `not_found`.
    code: &'static str,
    /// What is wrong with this request.
    detail: String,
    /// What a caller does: `block`, always.
    word: &'static str,
    #[serde(skip)]
    retry_after: Option<u32>,
}

impl Problem {
    /// One of a status.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:laneway:problem:{code}"),
            title: status.canonical_reason().unwrap_or("problem"),
            status: status.as_u16(),
            code,
            detail: detail.into(),
            word: "block",
            retry_after: None,
        }
    }

    /// What cannot be used as it was given.
    pub fn bad(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// What is not there, or is not to be seen by who asks.
    pub fn not_found() -> Self {
        let detail = "there is no such thing, or it is not yours to see";
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// Nobody known asks.
    pub fn unauthorized() -> Self {
        let detail = "say who you are: a token in `Authorization: Bearer`, or sign in";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }

    /// Who asks may not.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// Something that this service needs does not work now.
    pub fn unavailable(code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            retry_after: Some(1),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail)
        }
    }

    /// Too often.
    pub fn too_many(detail: impl Into<String>, retry_after: u32) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many", detail)
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What is wrong, in words.
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (self.status(), body).into_response();
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status() == StatusCode::UNAUTHORIZED {
            let how = HeaderValue::from_static("Bearer realm=\"laneway\"");
            headers.insert(header::WWW_AUTHENTICATE, how);
        }
        response
    }
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        let (code, detail) = (error.code(), error.to_string());
        let status = match error {
            DeskError::NotFound(_) => return Self::not_found(),
            DeskError::Store(error) => return error.into(),
            DeskError::Refused(refusal) => of_refusal(&refusal),
            DeskError::Conflict { .. } => StatusCode::CONFLICT,
            DeskError::NoKey | DeskError::NotJson(_) => StatusCode::BAD_REQUEST,
            DeskError::Erased => StatusCode::GONE,
            DeskError::NotEscalated(_)
            | DeskError::NoSuchTeam(_)
            | DeskError::NeedsEvent
            | DeskError::Evidence(_) => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, code, detail)
    }
}

/// Who may not is 403; what is missing in what was said is 422; all else is how things stand, 409.
fn of_refusal(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::Involved(_) | Refusal::NotEligible(_) | Refusal::NotPermitted(_) => {
            StatusCode::FORBIDDEN
        }
        Refusal::NoReason | Refusal::WhichLane(_) => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::CONFLICT,
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error.kind {
            StoreErrorKind::Refused => Self::new(StatusCode::CONFLICT, "store", error.to_string()),
            _ => Self::unavailable("store", error.to_string()),
        }
    }
}

//! What a store is made for.

use std::sync::Arc;

use super::*;
use crate::clock::Timestamp;
use crate::desk;
use crate::escalation::Principal;
use crate::router::Recording;
use crate::store::MemoryStore;

#[derive(Debug)]
struct Epoch;

impl Clock for Epoch {
    fn wall(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn elapsed(&self) -> std::time::Duration {
        std::time::Duration::ZERO
    }

    fn boot(&self) -> Option<String> {
        None
    }
}

fn desk(store: &Arc<dyn Store>) -> desk::Desk {
    desk::Desk::new(Arc::clone(store), Settings::default(), Arc::new(Epoch)).unwrap()
}

fn memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new(Arc::new(|| Timestamp::UNIX_EPOCH)))
}

#[test]
fn a_store_with_audit_rows_alone_is_in_use() {
    const MATRIX: &str = r#"
matrix "M" {
  edition 1
  timezone "UTC"
  otherwise escalate to ops
  unreadable deny
}
event call {
  tool: text
}
team ops {
  first person "o@x"
}
"#;
    let store = memory();
    let loaded = crate::check_text("m.lane", MATRIX, &crate::Options::default());
    let matrix = loaded.into_matrix().unwrap();
    let now = Timestamp::UNIX_EPOCH;
    let event = br#"{"kind": "call", "tool": "sql"}"#;
    let router = crate::Router::new(Arc::clone(&matrix));
    let Recording {
        decision, recorded, ..
    } = router.dry_run_recording(event, now);
    let ask = desk::Ask {
        requester: Principal::parse("bot").unwrap(),
        operator: None,
        agent: None,
        key: Some("k".to_owned()),
        asks: true,
        event: event.to_vec(),
        history: Vec::new(),
    };
    let decided = desk::Decided {
        matrix,
        decision,
        recorded,
        times: crate::reference::Times::received(now),
    };
    desk(&store).open(&ask, &decided).unwrap();
    let refused = make(store.as_ref(), true).unwrap_err();
    assert_eq!(refused.code(), "store_exists");
    assert!(!is_demo(store.as_ref()).unwrap());
}

/// A database is there before it is a store, so that nothing else tells a new one from one in use.
#[test]
fn a_store_that_is_in_use_never_becomes_one_for_demonstrations() {
    for demo in [false, true] {
        let store = memory();
        make(store.as_ref(), demo).unwrap();
        assert_eq!(is_demo(store.as_ref()).unwrap(), demo);
        for again in [false, true] {
            let refused = make(store.as_ref(), again).unwrap_err();
            assert_eq!(refused.code(), "store_exists");
        }
        assert_eq!(is_demo(store.as_ref()).unwrap(), demo);
    }
}

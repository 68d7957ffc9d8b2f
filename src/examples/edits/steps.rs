//! The constants next to a constant.
//!
//! A step is one of the last digit that is written for a number, the hundredth part of a unit of money unless the
//! constant is finer, a second for spans of time and instants unless the constant is finer, a day for dates.

use chrono::TimeDelta;
use rust_decimal::Decimal;

use crate::clock::Duration;
use crate::syntax::ast::Value;
use crate::value::parse_decimal;

/// The constant a step below, and the one a step above; none of a constant that has no order.
pub(super) fn beside(value: &Value) -> Vec<Value> {
    let both: [Option<Value>; 2] = match value {
        Value::Number(text) => numbers(text, 0).map(|text| text.map(Value::Number)),
        Value::Money(text, currency) => {
            numbers(text, 2).map(|text| text.map(|text| Value::Money(text, currency.clone())))
        }
        Value::Duration(span) => {
            let millis = span.as_millis();
            let step = if millis.is_multiple_of(1_000) {
                1_000
            } else {
                1
            };
            [millis.checked_sub(step), millis.checked_add(step)]
                .map(|millis| millis.map(|millis| Value::Duration(Duration::from_millis(millis))))
        }
        Value::Date(day) => [day.pred_opt(), day.succ_opt()].map(|day| day.map(Value::Date)),
        Value::Timestamp(at) => {
            let step = match at.timestamp_subsec_nanos() {
                0 => TimeDelta::seconds(1),
                _ => TimeDelta::milliseconds(1),
            };
            [at.checked_sub_signed(step), at.checked_add_signed(step)]
                .map(|at| at.map(Value::Timestamp))
        }
        Value::Str(_) | Value::Yes | Value::No | Value::Word(_) | Value::Broken => [None, None],
    };
    both.into_iter().flatten().collect()
}

fn numbers(text: &str, least_scale: u32) -> [Option<String>; 2] {
    let Ok(number) = parse_decimal(text) else {
        return [None, None];
    };
    let step = Decimal::new(1, number.scale().max(least_scale));
    [number.checked_sub(step), number.checked_add(step)]
        .map(|number| number.map(|number| number.normalize().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::print::value_text;

    #[test]
    fn a_step_is_the_smallest_that_a_person_would_write() {
        let beside = |value| -> Vec<String> { beside(&value).iter().map(value_text).collect() };
        assert_eq!(beside(Value::Number("3".to_owned())), ["2", "4"]);
        assert_eq!(beside(Value::Number("0.72".to_owned())), ["0.71", "0.73"]);
        let money = |amount: &str| Value::Money(amount.to_owned(), "USD".to_owned());
        assert_eq!(beside(money("250")), ["249.99 USD", "250.01 USD"]);
        assert_eq!(beside(money("0.125")), ["0.124 USD", "0.126 USD"]);
        let span = |text| Value::Duration(Duration::parse(text).unwrap());
        assert_eq!(beside(span("10m")), ["9m59s", "10m1s"]);
        assert_eq!(beside(span("20ms")), ["19ms", "21ms"]);
        assert_eq!(beside(Value::Word("calm".to_owned())), [""; 0]);
    }
}

//! Lists that come in pages: complete, or a failure; never a part that looks like the whole.

use serde_json::Value;

use super::call::{Answer, Failure, Outcome};
use super::operation::Operation;

/// A page that is to be fetched.
pub(super) struct Page {
    /// From 1.
    pub(super) number: u32,
    /// What the page before it said; `None` for the first.
    pub(super) token: Option<String>,
}

/// A list under construction: `while let Some(page) = list.next() { … list.add(…)?; }`.
pub(super) struct Pages {
    operation: &'static Operation,
    items: Vec<Value>,
    receipts: Vec<String>,
    next: Option<Page>,
}

impl Pages {
    pub(super) fn new(operation: &'static Operation) -> Self {
        Self { operation, items: Vec::new(), receipts: Vec::new(), next: Some(Page { number: 1, token: None }) }
    }

    /// The page to fetch next, if any.
    pub(super) fn next(&self) -> Option<Page> {
        self.next.as_ref().map(|page| Page { number: page.number, token: page.token.clone() })
    }

    /// Takes in the page that was fetched: its items, and the next page's token.
    pub(super) fn add(&mut self, page: Outcome<(Vec<Value>, Option<String>)>) -> Result<(), Failure> {
        let Answer { value: (items, token), receipts } = page.map_err(|mut failure| {
            failure.receipts = self.receipts.drain(..).chain(failure.receipts).collect();
            failure
        })?;
        self.receipts.extend(receipts);
        self.items.extend(items);
        let current = self.next.take();
        let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(()) };
        let (number, last) = current.map_or((1, None), |page| (page.number, page.token));
        if last.as_ref() == Some(&token) {
            // The peer would send this page until the deadline.
            let receipts = std::mem::take(&mut self.receipts);
            return Err(Failure::malformed(self.operation, "the list's next page is the page itself", receipts));
        }
        self.next = Some(Page { number: number + 1, token: Some(token) });
        Ok(())
    }

    /// Takes in a page of a JSON service: the items in `member`, the next page's token in `token`.
    pub(super) fn add_json(&mut self, page: Outcome, member: &str, token: &str) -> Result<(), Failure> {
        let operation = self.operation;
        self.add(page.and_then(|page| {
            page.try_map(operation, |mut body| {
                let next = match &body[token] {
                    Value::Null => None,
                    Value::String(token) => Some(token.clone()),
                    _ => return Err(format!("the list's `{token}` is no text")),
                };
                match body[member].take() {
                    Value::Array(items) => Ok((items, next)),
                    _ => Err(format!("the answer's `{member}` is no list")),
                }
            })
        }))
    }

    /// The whole list.
    pub(super) fn finish(self) -> Answer<Vec<Value>> {
        Answer { value: self.items, receipts: self.receipts }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LIST: Operation = Operation::json("ssm", "DescribeParameters", "ssm:DescribeParameters", "Parameters");

    fn page(body: Value) -> Outcome {
        Ok(Answer { value: body, receipts: vec!["r".to_owned()] })
    }

    #[test]
    fn pages_are_joined_in_order() {
        let mut pages = Pages::new(&LIST);
        pages.add_json(page(json!({"Parameters": [1], "NextToken": "a"})), "Parameters", "NextToken").unwrap();
        assert_eq!(pages.next().map(|page| (page.number, page.token)), Some((2, Some("a".to_owned()))));
        pages.add_json(page(json!({"Parameters": [], "NextToken": "b"})), "Parameters", "NextToken").unwrap();
        pages.add_json(page(json!({"Parameters": [2], "NextToken": ""})), "Parameters", "NextToken").unwrap();
        assert!(pages.next().is_none());
        let list = pages.finish();
        assert_eq!((list.value, list.receipts.len()), (vec![json!(1), json!(2)], 3));
    }

    #[test]
    fn a_page_that_points_at_itself_fails_the_list() {
        let mut pages = Pages::new(&LIST);
        let same = || page(json!({"Parameters": [], "NextToken": "a"}));
        pages.add_json(same(), "Parameters", "NextToken").unwrap();
        let failure = pages.add_json(same(), "Parameters", "NextToken").unwrap_err();
        assert_eq!(failure.receipts.len(), 2);
    }

    #[test]
    fn a_page_of_another_shape_fails_the_list() {
        for body in [json!({"Parameters": {}}), json!({"Parameters": [], "NextToken": 1})] {
            assert!(Pages::new(&LIST).add_json(page(body), "Parameters", "NextToken").is_err());
        }
    }
}

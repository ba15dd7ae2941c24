// SPDX-License-Identifier: GPL-2.0

//! KUnit tests: the handlers, called without firing a tracepoint.

#[kunit_tests(reclaimwb)]
mod handlers {
    #[test]
    fn placeholder() {
        assert!(true);
    }
}

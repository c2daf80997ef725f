//! Counting tokens: what the last response used, what the thread has used in all.

use crate::model::Usage;
use crate::protocol::{ThreadTokenUsage, TokenUsageBreakdown};

const BYTES_PER_TOKEN: usize = 4;

#[derive(Debug, Default, Clone)]
pub(super) struct Totals {
    total: TokenUsageBreakdown,
    last: TokenUsageBreakdown,
}

impl Totals {
    /// Goes on from what a stored thread has used.
    pub(super) fn resumed(usage: &ThreadTokenUsage) -> Self {
        Self { total: usage.total.clone(), last: usage.last.clone() }
    }

    pub(super) fn add(&mut self, usage: &Usage) {
        self.last = breakdown(usage);
        self.total.total_tokens += self.last.total_tokens;
        self.total.input_tokens += self.last.input_tokens;
        self.total.cached_input_tokens += self.last.cached_input_tokens;
        self.total.cache_write_input_tokens += self.last.cache_write_input_tokens;
        self.total.output_tokens += self.last.output_tokens;
        self.total.reasoning_output_tokens += self.last.reasoning_output_tokens;
    }

    /// How much the history takes now, in tokens, as far as responses have told.
    pub(super) fn context(&self) -> i64 {
        self.last.total_tokens
    }

    /// Guesses how much a history takes that no response has told of.
    pub(super) fn estimate(&mut self, bytes: usize) {
        let total_tokens = i64::try_from(bytes.div_ceil(BYTES_PER_TOKEN)).unwrap_or(i64::MAX);
        self.last = TokenUsageBreakdown { total_tokens, ..TokenUsageBreakdown::default() };
    }

    pub(super) fn wire(&self, window: Option<i64>) -> ThreadTokenUsage {
        ThreadTokenUsage {
            total: self.total.clone(),
            last: self.last.clone(),
            model_context_window: window,
        }
    }
}

pub(super) fn breakdown(usage: &Usage) -> TokenUsageBreakdown {
    TokenUsageBreakdown {
        total_tokens: usage.total_tokens,
        input_tokens: usage.input_tokens,
        cached_input_tokens: usage.cached_input_tokens,
        cache_write_input_tokens: 0,
        output_tokens: usage.output_tokens,
        reasoning_output_tokens: usage.reasoning_output_tokens,
    }
}

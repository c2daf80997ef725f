//! Counting tokens: what the last response used, what the thread has used in all.

use crate::exec::tokens;
use crate::model::Usage;
use crate::protocol::{ThreadTokenUsage, TokenUsageBreakdown};

#[derive(Debug, Default, Clone)]
pub(super) struct Totals {
    total: TokenUsageBreakdown,
    last: TokenUsageBreakdown,
    /// How much the history takes now, in tokens, as far as it is known.
    context: i64,
}

impl Totals {
    /// Goes on from what a stored thread has used.
    pub(super) fn resumed(usage: &ThreadTokenUsage) -> Self {
        let context = usage.last.total_tokens;
        Self { total: usage.total.clone(), last: usage.last.clone(), context }
    }

    pub(super) fn add(&mut self, usage: &Usage) {
        self.last = breakdown(usage);
        self.context = self.last.total_tokens;
        self.total.total_tokens += self.last.total_tokens;
        self.total.input_tokens += self.last.input_tokens;
        self.total.cached_input_tokens += self.last.cached_input_tokens;
        self.total.cache_write_input_tokens += self.last.cache_write_input_tokens;
        self.total.output_tokens += self.last.output_tokens;
        self.total.reasoning_output_tokens += self.last.reasoning_output_tokens;
    }

    /// How much the history takes now, in tokens, as far as it is known.
    pub(super) fn context(&self) -> i64 {
        self.context
    }

    /// Guesses how much a history takes that no response has told of.
    pub(super) fn estimate(&mut self, bytes: usize) {
        let total_tokens = i64::try_from(tokens(bytes)).unwrap_or(i64::MAX);
        self.last = TokenUsageBreakdown { total_tokens, ..TokenUsageBreakdown::default() };
        self.context = total_tokens;
    }

    /// Counts a request that was more than the window holds. Nobody knows by how much, so the window counts as full.
    pub(super) fn fill(&mut self, window: i64) {
        let used = self.total.total_tokens;
        let tokens =
            |total_tokens| TokenUsageBreakdown { total_tokens, ..TokenUsageBreakdown::default() };
        self.last = tokens((window - used).max(0));
        self.total = tokens(window);
        self.context = window;
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

//! How clients renew the tokens that they have signed in with: the `auth::Lender` of a connection.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::value::to_raw_value;

use super::ask::{Asked, Asks, Withdraw};
use super::audience::Audience;
use super::connection::ConnectionId;
use super::context::Cx;
use crate::auth::{Lender, Loan};
use crate::protocol::{
    ChatgptAuthTokensRefreshParams, ChatgptAuthTokensRefreshReason,
    ChatgptAuthTokensRefreshResponse, Request as _, method,
};
use crate::thread::Question;
use crate::util::secret::Secret;

/// The client that has lent its tokens. Others do not have them.
pub(super) struct ClientLender {
    connection: ConnectionId,
    audience: Arc<Audience>,
    asks: Arc<Asks>,
}

impl ClientLender {
    pub(super) fn of(cx: &Cx) -> Self {
        let (audience, asks) = (Arc::clone(&cx.server.audience), Arc::clone(&cx.server.asks));
        Self { connection: cx.connection.id, audience, asks }
    }

    async fn ask(&self, previous_account_id: Option<String>) -> Result<Loan, String> {
        let reason = ChatgptAuthTokensRefreshReason::Unauthorized;
        let params = ChatgptAuthTokensRefreshParams { reason, previous_account_id };
        let params = to_raw_value(&params).map_err(|error| error.to_string())?;
        let question = Question { method: method::ChatgptAuthTokensRefresh::METHOD, params };
        let (id, answer) = self.asks.ask(&Asked::Only(self.connection), &question, &self.audience);
        let _withdraw =
            Withdraw { id, asks: Arc::clone(&self.asks), audience: Arc::clone(&self.audience) };
        match answer.await {
            Ok(Ok(result)) => loan(result.get()),
            Ok(Err(error)) => Err(code(error.get())),
            Err(_) => Err("the client has left".to_owned()),
        }
    }
}

impl Lender for ClientLender {
    fn renew(&self, account: Option<String>) -> BoxFuture<'_, Result<Loan, String>> {
        self.ask(account).boxed()
    }
}

/// What a client answers. What it says instead may hold a token, and is not told.
fn loan(result: &str) -> Result<Loan, String> {
    let answer: ChatgptAuthTokensRefreshResponse =
        serde_json::from_str(result).map_err(|_| "the answer holds no tokens".to_owned())?;
    Ok(Loan {
        access: Secret::new(answer.access_token),
        account_id: answer.chatgpt_account_id,
        plan: answer.chatgpt_plan_type,
    })
}

/// An error of a client's, by its code.
fn code(error: &str) -> String {
    #[derive(Deserialize)]
    struct Coded {
        code: i64,
    }
    match serde_json::from_str::<Coded>(error) {
        Ok(Coded { code }) => format!("code={code}"),
        Err(_) => "the client answers with an error".to_owned(),
    }
}

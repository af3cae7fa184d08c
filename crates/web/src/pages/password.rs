//! The signed-in user's own password.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use modelry_core::Result;
use modelry_server::App;
use modelry_server::accounts::users as accounts;
use serde::Deserialize;

use super::typed_wrong;
use crate::answer::{Answer, Page};
use crate::form::Form;
use crate::views::password::PasswordPage;
use crate::visit::Visit;

/// The address of the page.
pub(crate) const PAGE: &str = "/-/user_settings/password";

/// What the form sends.
#[derive(Deserialize)]
pub(crate) struct ChangeForm {
    #[serde(default)]
    current: String,
    new: String,
}

/// The form.
pub(crate) async fn show_password(State(app): State<App>, visit: Visit) -> Answer<Page<PasswordPage>> {
    Ok(Page(password_page(&app, &visit).await?))
}

/// Changes the password, and shows the form again with what became of it.
pub(crate) async fn change_password(
    State(app): State<App>,
    visit: Visit,
    Form(form): Form<ChangeForm>,
) -> Answer<Response> {
    let identity = visit.caller.signed_in()?;
    let changed = accounts::change_own_password(&app, identity, &form.current, &form.new).await;
    let mut page = password_page(&app, &visit).await?;
    match changed {
        Ok(()) => {
            page.shell.notice =
                Some("Your password is changed. Your other browsers are signed out.".to_owned());
            Ok(Page(page).into_response())
        }
        Err(error) => {
            page.problem = Some(typed_wrong(error)?);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Page(page)).into_response())
        }
    }
}

async fn password_page(app: &App, visit: &Visit) -> Result<PasswordPage> {
    let username = &visit.caller.signed_in()?.username;
    let has_password = accounts::has_password(app, username).await?;
    Ok(PasswordPage { shell: visit.shell("Password"), has_password, problem: None })
}

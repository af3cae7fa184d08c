//! The caller's access tokens.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use modelry_core::Result;
use modelry_core::ids::TokenId;
use modelry_core::policy::Scope;
use modelry_core::time::Timestamp;
use modelry_server::App;
use modelry_server::access::Identity;
use modelry_server::accounts::tokens::{self as accounts, Draft, Made, parse_day};
use modelry_server::extract::{Path, Query};
use modelry_store::projects::{self, Project, Viewer};
use modelry_store::tokens::{self, Token};
use serde::Deserialize;

use super::{ROWS_TO_READ, page, start, typed_wrong};
use crate::answer::{Answer, Page, Shown};
use crate::form::Form;
use crate::format;
use crate::pages::sign_in::ButtonForm;
use crate::parts::Pager;
use crate::views::connect;
use crate::views::tokens::{NewToken, TokenConnect, TokenForm, TokenRow, TokensPage, scope_choices};
use crate::visit::Visit;

const PAGE: &str = "/-/user_settings/personal_access_tokens";

/// The length of a day, in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// What the list's address says.
#[derive(Deserialize)]
pub(crate) struct ListQuery {
    #[serde(default)]
    page_token: String,
}

/// What the form for a new token sends.
#[derive(Deserialize)]
pub(crate) struct CreateForm {
    name: String,
    scope: String,
    expires_at: String,
}

/// The caller's tokens, and the form for a new one.
pub(crate) async fn list_tokens(
    State(app): State<App>,
    visit: Visit,
    Shown(Query(query)): Shown<Query<ListQuery>>,
) -> Answer<Page<TokensPage>> {
    let form = empty_form(&visit);
    Ok(Page(tokens_page(&app, &visit, form, &query.page_token).await?))
}

/// Makes a token and shows it this once, or shows the form again.
pub(crate) async fn create_token(
    State(app): State<App>,
    visit: Visit,
    Form(form): Form<CreateForm>,
) -> Answer<Response> {
    let owner = visit.caller.signed_in()?.clone();
    let made = match draft(&form) {
        Ok(draft) => accounts::create(&app, owner.user, draft).await,
        Err(error) => Err(error),
    };
    match made {
        Ok(made) => {
            let mut page = tokens_page(&app, &visit, empty_form(&visit), "").await?;
            page.created = Some(new_token(&app, &visit, &owner, made).await?);
            Ok(Page(page).into_response())
        }
        Err(error) => {
            let problem = typed_wrong(error)?;
            let shown = TokenForm {
                scopes: scope_choices(form.scope.parse().unwrap_or(Scope::Api)),
                name: form.name,
                expires_at: form.expires_at,
                ..empty_form(&visit)
            };
            let mut page = tokens_page(&app, &visit, shown, "").await?;
            page.problem = Some(problem);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Page(page)).into_response())
        }
    }
}

/// Takes a token back.
pub(crate) async fn revoke_token(
    State(app): State<App>,
    visit: Visit,
    Shown(Path(id)): Shown<Path<i64>>,
    Form(ButtonForm {}): Form<ButtonForm>,
) -> Answer<Redirect> {
    accounts::revoke(&app, visit.caller.signed_in()?.user, TokenId(id)).await?;
    Ok(Redirect::to(PAGE))
}

fn draft(form: &CreateForm) -> Result<Draft> {
    let expires_at = match form.expires_at.trim() {
        "" => None,
        // The form says the last day on which the token works.
        day => Some(parse_day(day)?.plus_ms(DAY_MS)),
    };
    Ok(Draft { name: form.name.clone(), scope: form.scope.parse()?, expires_at })
}

fn empty_form(visit: &Visit) -> TokenForm {
    TokenForm {
        name: String::new(),
        expires_at: String::new(),
        earliest: format::day(visit.now),
        scopes: scope_choices(Scope::Api),
    }
}

async fn tokens_page(app: &App, visit: &Visit, form: TokenForm, token: &str) -> Result<TokensPage> {
    let owner = visit.caller.signed_in()?.user;
    let after: Option<TokenId> = start(token)?;
    let mut found = app.db.read(move |tx| tokens::list(tx, owner, after, ROWS_TO_READ)).await?;
    let pager: Pager = page(&mut found, PAGE, &[], token, |token| token.id);
    Ok(TokensPage {
        shell: visit.shell("Access tokens"),
        created: None,
        form,
        problem: None,
        tokens: found.into_iter().map(|token| row(visit, token)).collect(),
        pager,
    })
}

fn row(visit: &Visit, token: Token) -> TokenRow {
    let last_day = |end: Timestamp| format::day(end.plus_ms(-1));
    TokenRow {
        name: token.name,
        scope: token.scope.as_str(),
        created: visit.moment(token.created_at),
        last_used: token.last_used_at.map(|used| visit.moment(used)),
        expires: token.expires_at.map(last_day),
        is_expired: token.expires_at.is_some_and(|end| end <= visit.now),
        revoke_href: format!("{PAGE}/{}/revoke", token.id),
    }
}

/// The new token with the lines that use it, for the project that the caller most likely wants.
async fn new_token(app: &App, visit: &Visit, owner: &Identity, made: Made) -> Result<NewToken> {
    let viewer = if owner.admin { Viewer::Administrator } else { Viewer::User(owner.user) };
    let newest = app.db.read(move |tx| projects::list_visible(tx, viewer, None, None, 1)).await?;
    let connect = newest.first().map(|project| token_connect(visit, project, &made.text));
    Ok(NewToken { name: made.token.name, secret: made.text, connect })
}

fn token_connect(visit: &Visit, project: &Project, secret: &str) -> TokenConnect {
    let uri = visit.tracking_uri(project.id);
    TokenConnect {
        project: project.full_path.clone(),
        href: format!("/{}", project.full_path),
        terminal: connect::terminal(&uri, secret),
        python: connect::python(&uri, secret),
    }
}

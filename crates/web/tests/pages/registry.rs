//! The model registry's pages show what clients register, and change what their forms say.

use axum::http::{Method, StatusCode};
use modelry_core::policy::Role;
use serde_json::json;

use crate::given::{MODELS, browser, create, page, register};
use crate::site::Site;

const MLMODEL: &str = r#"flavors:
  sklearn:
    sklearn_version: 1.5.0
signature:
  inputs: '[{"type": "long", "name": "age", "required": true}]'
"#;

const MLMODEL_WITH_PLAN: &str = r#"flavors:
  sklearn:
    sklearn_version: 1.5.0
signature:
  inputs: '[{"type": "long", "name": "age", "required": true}, {"type": "string", "name": "plan", "required": true}]'
"#;

/// A safetensors file with one tensor of two by three floats.
fn weights() -> Vec<u8> {
    let header = br#"{"layer.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}"#;
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header);
    file.extend([0; 24]);
    file
}

#[tokio::test]
async fn a_registry_without_models_shows_how_to_register_one() {
    let site = Site::new().await;
    let html = page(&site, "").await;
    assert!(html.contains("registered_model_name=&#34;my-model&#34;"));
    assert!(html.contains(&format!("http://modelry.test/api/v4/projects/{}/ml/mlflow", site.project)));
}

#[tokio::test]
async fn the_latest_version_is_a_link_on_the_list_and_on_the_projects_page() {
    let site = Site::new().await;
    create(&site, "churn").await;
    register(&site, "churn", &[("MLmodel", MLMODEL.as_bytes())]).await;
    let link = format!(r#"<a href="{MODELS}/1/versions/1">1.0.0 (#1)</a>"#);
    assert!(page(&site, "").await.contains(&link));
    assert!(site.page("").await.text().contains(&link));
}

#[tokio::test]
async fn models_are_found_by_a_part_of_their_names() {
    let site = Site::new().await;
    for name in ["Churn", "demand"] {
        create(&site, name).await;
    }
    let html = page(&site, "?search=hUR").await;
    assert!(html.contains(">Churn</a>") && !html.contains(">demand</a>"));
}

#[tokio::test]
async fn a_long_list_goes_on_by_a_link() {
    let site = Site::new().await;
    for number in 0..31 {
        create(&site, &format!("model {number}")).await;
    }
    let first = page(&site, "").await;
    assert!(!first.contains(">model 0</a>"));
    let (_, rest) = first.split_once("?page_token=").expect("there is a next page");
    let (token, _) = rest.split_once('"').expect("the address ends");
    assert!(page(&site, &format!("?page_token={token}")).await.contains(">model 0</a>"));
}

#[tokio::test]
async fn the_name_of_a_model_leads_to_its_number() {
    let site = Site::new().await;
    create(&site, "churn").await;
    let answer = site.page("/-/ml/models/churn").await;
    assert_eq!(answer.header("location"), format!("{MODELS}/1"));
    assert_eq!(site.page("/-/ml/models/other").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_prompt_is_no_model() {
    let site = Site::new().await;
    let tags = json!([{"key": "mlflow.prompt.is_prompt", "value": "true"}]);
    site.call("registered-models/create", json!({"name": "ask", "tags": tags})).await;
    assert!(!page(&site, "").await.contains(">ask</a>"));
    for address in ["1", "ask"] {
        assert_eq!(site.page(&format!("/-/ml/models/{address}")).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_card_is_markdown_with_its_front_matter_beside_it() {
    let site = Site::new().await;
    let browser = browser(&site).await;
    let card =
        "---%0D%0Alicense: mit%0D%0Atags: [tabular]%0D%0A---%0D%0A%23 Who leaves%0D%0A<script>x</script>";
    let made =
        browser.post(&format!("{MODELS}/new"), MODELS, &format!("name=churn&description={card}")).await;
    assert_eq!(made.header("location"), format!("{MODELS}/1"));
    let html = page(&site, "/1").await;
    assert!(html.contains("<h2>Who leaves</h2>") && html.contains("&lt;script&gt;"), "{html}");
    assert!(html.contains("<dt>Licence</dt><dd>mit</dd>"));
}

#[tokio::test]
async fn a_model_is_renamed_and_a_taken_name_is_said() {
    let site = Site::new().await;
    create(&site, "churn").await;
    create(&site, "demand").await;
    let browser = browser(&site).await;
    let edit = format!("{MODELS}/1/edit");
    let taken = browser.post(&edit, &edit, "name=demand&description=").await;
    assert_eq!(taken.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(taken.text().contains("already exists"));
    browser.post(&edit, &edit, "name=leavers&description=why").await;
    assert!(page(&site, "/1").await.contains("<h1>leavers</h1>"));
}

#[tokio::test]
async fn versions_stand_in_their_order_and_not_in_that_of_their_numbers() {
    let site = Site::new().await;
    create(&site, "churn").await;
    for version in ["1.10.0", "1.9.0", "1.10.0-rc.1"] {
        let tags = json!([{"key": "modelry.version", "value": version}]);
        site.call("model-versions/create", json!({"name": "churn", "source": "", "tags": tags})).await;
    }
    let html = page(&site, "/1?tab=versions").await;
    let place = |version: &str| html.find(&format!(">{version}</a>")).expect(version);
    assert!(place("1.10.0") < place("1.10.0-rc.1") && place("1.10.0-rc.1") < place("1.9.0"));
}

#[tokio::test]
async fn a_version_says_what_is_in_its_files() {
    let site = Site::new().await;
    create(&site, "churn").await;
    let weights: &'static [u8] = weights().leak();
    let files = [("m/MLmodel", MLMODEL.as_bytes()), ("m/w.safetensors", weights), ("m/model.pkl", b"x")];
    register(&site, "churn", &files).await;
    let html = page(&site, "/1/versions/1").await;
    assert!(html.contains("<span class=\"tag\">sklearn</span>") && html.contains("<code>long</code>"));
    assert!(html.contains("F32 (6)"), "{html}");
    assert!(html.contains("runs code when loaded"));
    let file = page(&site, "/1/versions/1/artifacts/m/w.safetensors").await;
    assert!(file.contains("layer.weight") && file.contains("2 × 3"));
}

#[tokio::test]
async fn files_that_no_client_loads_as_a_model_are_downloaded() {
    let site = Site::new().await;
    create(&site, "churn").await;
    register(&site, "churn", &[("weights.bin", b"1")]).await;
    for below in ["/1", "/1/versions/1"] {
        let html = page(&site, below).await;
        assert!(html.contains("download_artifacts(&#34;models:/churn/1.0.0&#34;)"), "{below}: {html}");
        assert!(!html.contains("load_model"), "{below}");
    }
}

#[tokio::test]
async fn a_weights_file_that_lies_is_said_and_shown_all_the_same() {
    let site = Site::new().await;
    create(&site, "churn").await;
    register(&site, "churn", &[("w.safetensors", b"\xff\xff\xff\xff\xff\xff\xff\x7f{}")]).await;
    assert!(page(&site, "/1/versions/1").await.contains("cannot be read"));
}

#[tokio::test]
async fn a_version_that_breaks_its_promise_is_marked() {
    let site = Site::new().await;
    create(&site, "churn").await;
    register(&site, "churn", &[("MLmodel", MLMODEL.as_bytes())]).await;
    register(&site, "churn", &[("MLmodel", MLMODEL_WITH_PLAN.as_bytes())]).await;
    let warning = "Declared patch, looks like major: required column &#34;plan&#34; added";
    assert!(page(&site, "/1/versions/2").await.contains(warning));
    assert!(!page(&site, "/1/versions/1").await.contains("Declared"));
    let compared = page(&site, "/1/compare?a=1&b=2").await;
    assert!(compared.contains(warning) && compared.contains("tag-changed"), "{compared}");
}

#[tokio::test]
async fn two_versions_differ_by_the_digests_of_their_files() {
    let site = Site::new().await;
    create(&site, "churn").await;
    register(&site, "churn", &[("same", b"1"), ("other", b"1"), ("old", b"1")]).await;
    register(&site, "churn", &[("same", b"1"), ("other", b"2"), ("new", b"1")]).await;
    let html = page(&site, "/1/compare?a=1&b=2").await;
    let row =
        |path: &str| html.split(&format!(">{path}</th>")).nth(1).and_then(|rest| rest.split("</tr>").next());
    assert!(row("other").expect("a row").contains(">changed<"));
    assert!(row("old").expect("a row").contains(">removed<"));
    assert!(row("new").expect("a row").contains(">added<"));
    assert_eq!(row("same"), None);
}

#[tokio::test]
async fn the_files_of_a_version_stay_when_those_of_its_candidate_change() {
    let site = Site::new().await;
    create(&site, "churn").await;
    let version = register(&site, "churn", &[("notes.txt", b"as it was")]).await;
    let run = version["run_id"].as_str().expect("a version has a run");
    site.put(&format!("0/{run}/artifacts/notes.txt"), b"as it is").await;
    assert!(page(&site, "/1/versions/1/artifacts/notes.txt").await.contains("as it was"));
}

#[tokio::test]
async fn a_draft_gets_files_and_is_published() {
    let site = Site::new().await;
    create(&site, "churn").await;
    let browser = browser(&site).await;
    let form = format!("{MODELS}/1/versions/new");
    assert!(browser.get(&form).await.text().contains(r#"placeholder="1.0.0""#));
    let made = browser.post(&form, &format!("{MODELS}/1/versions"), "version=2.1.0&description=first").await;
    let files = format!("{MODELS}/1/versions/1/artifacts");
    assert_eq!(made.header("location"), files);

    let version = format!("{MODELS}/1/versions/1");
    let publish = format!("{version}/publish");
    let refused = browser.post(&version, &publish, "").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text().contains("has no files yet"));

    let html = browser.get(&files).await.text();
    let (_, rest) = html.split_once(r#"data-href=""#).expect("a draft takes files");
    let (target, _) = rest.split_once('"').expect("the address ends");
    let put = site.ann.send(site.ann.request(Method::PUT, &format!("{target}/model/a.txt")), "one").await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text());
    assert!(page(&site, "/1/versions/1/artifacts/model/a.txt").await.contains("one"));

    browser.post(&version, &publish, "").await;
    let html = page(&site, "/1/versions/1").await;
    assert!(html.contains(">Published</span>") && !html.contains("/publish"));
    let put = site.ann.send(site.ann.request(Method::PUT, &format!("{target}/model/a.txt")), "two").await;
    assert_eq!(put.status, StatusCode::CONFLICT);
    assert!(!page(&site, "/1/versions/1/artifacts").await.contains("data-href="));
}

#[tokio::test]
async fn a_version_that_is_none_is_refused_with_the_nearest() {
    let site = Site::new().await;
    create(&site, "churn").await;
    let form = format!("{MODELS}/1/versions/new");
    let post =
        browser(&site).await.post(&form, &format!("{MODELS}/1/versions"), "version=v1.2&description=d").await;
    assert_eq!(post.status, StatusCode::UNPROCESSABLE_ENTITY);
    let html = post.text();
    assert!(
        html.contains("1.2.0") && html.contains(r#"value="v1.2""#) && html.contains(">d</textarea>"),
        "{html}"
    );
}

#[tokio::test]
async fn an_alias_is_set_with_a_reason_moved_and_removed() {
    let site = Site::new().await;
    create(&site, "churn").await;
    for _ in 0..2 {
        register(&site, "churn", &[("a", b"1")]).await;
    }
    let browser = browser(&site).await;
    let [one, two] = [1, 2].map(|number| format!("{MODELS}/1/versions/{number}"));
    browser.post(&one, &format!("{one}/alias"), "alias=champion&reason=first").await;
    assert!(page(&site, "/1/versions/1").await.contains("<span class=\"tag\">@champion</span>"));
    // The page of the other version is stale by then: it removes nothing that has moved on.
    browser.post(&two, &format!("{two}/alias/delete"), "alias=champion").await;
    assert!(page(&site, "/1/versions/1").await.contains("<span class=\"tag\">@champion</span>"));
    browser.post(&two, &format!("{two}/alias"), "alias=champion&reason=better").await;
    assert!(!page(&site, "/1/versions/1").await.contains("<span class=\"tag\">@champion</span>"));
    let model = page(&site, "/1").await;
    assert!(model.contains("1.0.0 (#1) → 1.0.1 (#2)") && model.contains("better"), "{model}");
    browser.post(&two, &format!("{two}/alias/delete"), "alias=champion").await;
    assert!(!page(&site, "/1/versions/2").await.contains("@champion"));
}

#[tokio::test]
async fn an_alias_that_selects_versions_by_itself_is_refused() {
    let site = Site::new().await;
    create(&site, "churn").await;
    register(&site, "churn", &[("a", b"1")]).await;
    let one = format!("{MODELS}/1/versions/1");
    let answer = browser(&site).await.post(&one, &format!("{one}/alias"), "alias=latest&reason=").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text().contains("is reserved"));
}

#[tokio::test]
async fn a_stage_a_warning_and_a_description_are_set_by_form() {
    let site = Site::new().await;
    create(&site, "churn").await;
    register(&site, "churn", &[("a", b"1")]).await;
    let browser = browser(&site).await;
    let one = format!("{MODELS}/1/versions/1");
    browser.post(&one, &format!("{one}/stage"), "stage=Production").await;
    browser.post(&one, &format!("{one}/advice"), "advice=yanked&warning=wrong+data").await;
    let edit = format!("{one}/edit");
    browser.post(&edit, &edit, "description=**Bold**").await;
    let html = page(&site, "/1/versions/1").await;
    assert!(html.contains("<span class=\"tag\">Production</span>"));
    assert!(html.contains("Yanked: wrong data"));
    assert!(html.contains("<strong>Bold</strong>"));
}

#[tokio::test]
async fn a_candidate_of_a_models_experiment_is_promoted_to_a_version_of_it() {
    let site = Site::new().await;
    create(&site, "churn").await;
    let made = site.call("runs/create", json!({"experiment_id": "1", "run_name": "r"})).await;
    let run = made["run"]["info"]["run_id"].as_str().expect("a run has an id").to_owned();
    site.put(&format!("1/{run}/artifacts/MLmodel"), MLMODEL.as_bytes()).await;
    let browser = browser(&site).await;
    let promote = "/ann/churn/-/ml/candidates/1/promote";
    let html = browser.get(promote).await.text();
    assert!(
        html.contains(r#"value="churn" list="models""#) && html.contains("<strong>1.0.0</strong>"),
        "{html}"
    );
    let form = format!("model=churn&version=&source=runs%3A%2F{run}%2F&description=");
    let made = browser.post(promote, promote, &form).await;
    assert_eq!(made.header("location"), format!("{MODELS}/1/versions/1"));
    let version = page(&site, "/1/versions/1").await;
    assert!(version.contains(">Published</span>") && version.contains("/ann/churn/-/ml/candidates/1"));
    let candidate = site.page("/-/ml/candidates/1").await.text();
    assert!(candidate.contains(&format!(r#"<a href="{MODELS}/1/versions/1">churn 1.0.0 (#1)</a>"#)));
}

#[tokio::test]
async fn a_source_that_is_not_the_candidates_is_refused() {
    let site = Site::new().await;
    create(&site, "churn").await;
    let other = site.run("other").await;
    site.run("r").await;
    let promote = "/ann/churn/-/ml/candidates/2/promote";
    let form = format!("model=churn&version=&source=runs%3A%2F{other}%2F&description=");
    let answer = browser(&site).await.post(promote, promote, &form).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text().contains("Choose which files the version is to have."));
}

#[tokio::test]
async fn a_run_that_the_project_does_not_know_is_not_verified() {
    let site = Site::new().await;
    create(&site, "churn").await;
    let body = json!({"name": "churn", "source": "s3://bucket/model", "run_id": "unknown"});
    site.call("model-versions/create", body).await;
    let html = page(&site, "/1/versions/1").await;
    assert!(html.contains("lineage not verified") && html.contains("s3://bucket/model"));
}

#[tokio::test]
async fn a_reader_sees_models_and_no_forms() {
    let site = Site::new().await;
    create(&site, "churn").await;
    register(&site, "churn", &[("a", b"1")]).await;
    let guest = site.server.user("guest").await;
    site.server.member(site.project, &guest, Role::Guest).await;
    for below in ["", "/1", "/1?tab=versions", "/1/versions/1", "/1/versions/1/artifacts"] {
        let answer = guest.get(&format!("{MODELS}{below}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{below}");
        let html = answer.text();
        let posts =
            html.matches(r#"method="post""#).count() - html.matches(r#"action="/users/sign_out""#).count();
        assert_eq!(posts, 0, "{below}: {html}");
    }
}

#[tokio::test]
async fn the_newest_candidates_of_a_model_are_on_its_page() {
    let site = Site::new().await;
    create(&site, "churn").await;
    assert!(page(&site, "/1").await.contains("What a client logs to the experiment"));
    for number in 1..=6 {
        let name = format!("try-{number}");
        site.call("runs/create", json!({"experiment_id": "1", "run_name": name})).await;
    }
    site.run("of-another-experiment").await;
    let html = page(&site, "/1").await;
    for number in 2..=6 {
        assert!(html.contains(&format!(">try-{number}</a>")), "{html}");
    }
    assert!(!html.contains(">try-1</a>") && !html.contains("of-another-experiment"), "{html}");
    assert!(html.contains("/ann/churn/-/ml/experiments/1"));
}

#[tokio::test]
async fn a_version_is_downloaded_as_an_archive_and_has_the_digest_of_its_manifest() {
    let site = Site::new().await;
    create(&site, "churn rate").await;
    register(&site, "churn rate", &[("a", b"1"), ("b/c", b"2")]).await;
    let html = page(&site, "/1/versions/1").await;
    let version = format!("/api/v4/projects/{}/models/churn%20rate/versions/1.0.0", site.project);
    for extension in ["tar", "zip"] {
        let href = format!("{version}/archive.{extension}");
        assert!(html.contains(&format!(r#"href="{href}" download"#)), "{html}");
        assert_eq!(site.ann.get(&href).await.status, StatusCode::OK, "{extension}");
    }
    let manifest = site.ann.get(&format!("{version}/manifest")).await.expect_json();
    assert!(html.contains(manifest["sha256"].as_str().expect("a manifest has a digest")), "{html}");
}

#[tokio::test]
async fn a_version_names_its_package() {
    let site = Site::new().await;
    create(&site, "churn").await;
    register(&site, "churn", &[]).await;
    let html = page(&site, "/1/versions/1").await;
    assert!(
        html.contains(r#"<a href="/ann/churn/-/packages?type=version&#38;search=churn">churn 1.0.0</a>"#),
        "{html}"
    );
    assert!(html.contains("<span>1000001</span>"), "{html}");
    assert!(!html.contains("archive.tar"), "it has no files: {html}");
}

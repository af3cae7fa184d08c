// MLflow clients print links such as <tracking address>/#/experiments/3/runs/4f1d...: this leads on to our page.
"use strict";

// The part of a link after `#`, and the page of the project that it means; the first that fits.
const ROUTES = [
  [/^#\/experiments\/[^/?]+\/runs\/([^/?]+)/, "runs"],
  [/^#\/experiments\/[^/?]+\/models\/([^/?]+)/, "logged_models"],
  [/^#\/experiments\/([^/?]+)/, "experiments"],
];

function target(project, hash) {
  for (const [pattern, page] of ROUTES) {
    const found = pattern.exec(hash);
    if (found) return `${project}/-/ml/${page}/${encodeURIComponent(decodeURIComponent(found[1]))}`;
  }
  return `${project}/-/ml/experiments`;
}

function follow() {
  const link = document.getElementById("mlflow-links");
  location.replace(target(link.dataset.project, location.hash));
}

window.addEventListener("hashchange", follow);
follow();

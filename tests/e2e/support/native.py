"""Modelry's own REST API, as far as the tests need it to set a scene."""

import json
import urllib.parse

from support.wire import Wire


class Native:
    """A caller of `/api/v4`; every method expects success and answers the JSON."""

    def __init__(self, url, token):
        self.wire = Wire(f"{url}/api/v4", token)

    def call(self, method, path, body=None):
        sent = None if body is None else json.dumps(body)
        answer = self.wire.send(method, path, sent, {"Content-Type": "application/json"})
        assert answer.status in range(200, 300), f"{method} {path}: {answer.status} {answer.text}"
        return answer.json if answer.body else None

    def create_project(self, name, visibility):
        return self.call("POST", "/projects", {"name": name, "visibility": visibility})

    def create_user(self, username, password=None):
        body = {"username": username, "name": username.title()} | ({"password": password} if password else {})
        return self.call("POST", "/users", body)

    def add_member(self, project, username, role):
        return self.call("POST", f"/projects/{project}/members", {"username": username, "role": role})

    def change_role(self, project, username, role):
        [member] = [one for one in self.members(project) if one["username"] == username]
        return self.call("PUT", f"/projects/{project}/members/{member['id']}", {"role": role})

    def members(self, project):
        return self.call("GET", f"/projects/{project}/members")

    def create_token(self, name, scopes):
        return self.call("POST", "/personal_access_tokens", {"name": name, "scopes": scopes})

    def revoke_token(self, token_id):
        self.call("DELETE", f"/personal_access_tokens/{urllib.parse.quote(str(token_id))}")

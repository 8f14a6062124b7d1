// Panelry · try.js · shows the answer of a tried call on the page. Without it the browser shows the answer itself.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("[data-try]")) return;
  event.preventDefault();
  const button = form.querySelector("button");
  const shown = form.querySelector("[data-answer]");
  button.disabled = true;
  let status = "";
  let text;
  try {
    // No cookies: the key alone says who calls. It is read from its field here and kept nowhere. `form.action` is a field.
    const response = await fetch(form.getAttribute("action"), { method: "POST", body: new URLSearchParams(new FormData(form)), credentials: "omit" });
    status = `HTTP ${response.status}`;
    text = JSON.stringify(await response.json(), null, 2);
  } catch (error) {
    text = String(error);
  }
  shown.querySelector("[data-status]").textContent = status;
  shown.querySelector("code").textContent = text;
  shown.hidden = false;
  button.disabled = false;
});

// The page's script: sends pressed buttons to the server, obeys its messages, and handles the keyboard.
// It runs once; gradio gives it `element`, `trigger`, `props` and `watch`.
const find = (selector) => document.querySelector(selector);
const citations = () => [...document.querySelectorAll("a.cite")];
const box = () => find("#question textarea, #question input");
let last = null; // the button pressed or citation focused last, to find it again after its part was replaced
let followed = null; // the source that was followed last: its `id`, and whether it `isShown` already
let editing = false;
// Confirmations before a button takes effect.
const unsure = {
  discard: "Delete this collection? Its papers stay in the library.",
  delete: "Delete this conversation? It cannot be brought back.",
  remove: "Delete this paper from the library, for everybody?",
  unmerge: "Split this paper into one for each of its sources?",
  reindex: "Read every paper of the library again? Questions are answered meanwhile; many papers take long.",
};

// Buttons that ask for a name before they take effect.
const named = {
  begin: "A name for the new collection",
  gather: "A name for the new collection",
  keepnew: "A name for the new collection",
  keeprows: "The name of a collection, new or old",
  entitle: "Another name for this collection",
};

// What belongs to a button of the library tab: the ticked papers, and the changed fields of its paper.
function surroundings(button, name) {
  const sent = { name, picked: [...document.querySelectorAll("#library .pick:checked")].map((box) => box.value) };
  for (const field of button.closest(".added")?.querySelectorAll("input, textarea") ?? [])
    if (field.value !== field.defaultValue) sent[field.name] = field.value;
  return JSON.stringify(sent);
}

function showTab(name) {
  [...document.querySelectorAll("#tabs [role=tab]")].find((tab) => tab.textContent.trim() === name)?.click();
}

function say(text, isError = false) {
  const notice = find("#notice");
  notice.textContent = text;
  notice.classList.toggle("wrong", isError);
}

function press(button) {
  let text = "";
  button.closest("details.menu")?.removeAttribute("open");
  if (button.name === "rename") {
    const title = button.closest(".talk").querySelector(".title").textContent;
    text = prompt("A title for this conversation", title);
    if (!text || !text.trim()) return;
  }
  if (button.name in named) {
    const before = button.name === "entitle" ? find(".collection .chosen").textContent : "";
    text = prompt(named[button.name], before);
    if (!text || !text.trim()) return;
  }
  if (button.name in unsure && !confirm(unsure[button.name])) return;
  if (button.name === "correct") text = button.closest(".correcting").querySelector("input").value;
  if (button.name === "choose") return chooseFiles();
  if (button.name === "fetch") text = button.closest(".naming").querySelector("input").value;
  if (button.name === "name") text = button.closest(".naming").querySelector("input").value;
  last = { name: button.name, value: button.value };
  if (button.name === "within" || button.name === "tochat") find("#tabs [role=tab]").click();
  else if (button.name === "tabulate") showTab("Table");
  else if (button.closest("#library")) text = surroundings(button, text);
  const sent = { name: button.name, value: button.value, text };
  if (button.name === "tochat") box().focus();
  else if (button.closest("#map")) trigger("chart", sent);
  else if (button.name === "reindex" || button.name === "zotero") trigger(button.name, sent);
  else if (button.closest("#library") && button.name !== "within") trigger("shelf", sent);
  else if (button.closest("#sheet") || button.name === "tabulate") trigger("sheet", sent);
  else trigger("act", sent);
}

// The guide of an empty library passes files on to the library tab, which reports on them.
const tab = (name) => [...document.querySelectorAll("#tabs [role=tab]")].find((each) => each.textContent.trim() === name);
function withUpload(use) {
  tab("Library").click();
  requestAnimationFrame(() => use(find("#files input[type=file]")));
}
const chooseFiles = () => withUpload((input) => input.click());
document.addEventListener("dragover", (event) => {
  if (event.target.closest?.(".guide")) event.preventDefault();
});
document.addEventListener("drop", (event) => {
  const { files } = event.dataTransfer;
  if (!event.target.closest?.(".guide") || !files.length) return;
  event.preventDefault();
  withUpload((input) => {
    input.files = files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
});

document.addEventListener("click", (event) => {
  // Papers may have been added meanwhile.
  if (event.target.closest("#tabs [role=tab]") === tab("Chat") && find(".guide"))
    trigger("act", { name: "examples", value: "", text: "" });
  const button = event.target.closest("button.act");
  const link = event.target.closest('a[href^="#"]');
  const point = event.target.closest("#map .point");
  if (link) follow(event, link);
  if (point) trigger("chart", { name: "point", value: point.dataset.value, text: "" });
  document.querySelectorAll("details.menu[open]").forEach((menu) => {
    if (!menu.contains(event.target)) menu.removeAttribute("open");
  });
  if (button) press(button);
});

// The page has a base address, relative to which a plain link to a card would reload the page.
function follow(event, link) {
  event.preventDefault();
  location.hash = link.hash;
  followed = { id: link.hash.slice(1), isShown: false };
  document.querySelectorAll(".followed").forEach((source) => source.classList.remove("followed"));
  markFollowed();
}

// The sources are replaced while an answer grows and when it is kept, and with them goes what `:target` finds.
function markFollowed() {
  const source = followed && document.getElementById(followed.id);
  if (!source) return;
  source.classList.add("followed");
  if (!followed.isShown) source.scrollIntoView({ block: "center" });
  followed.isShown = true;
}

document.addEventListener("focusin", ({ target }) => {
  if (target.matches("a.cite")) last = { hash: target.hash, place: citations().indexOf(target) };
});
document.addEventListener("pointerdown", () => {
  if (last?.hash) last = null;
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches?.(".correcting input")) {
    press(event.target.closest(".correcting").querySelector("button[name=correct]"));
    return;
  }
  if (event.key === "Enter" && event.target.matches?.(".naming input")) {
    press(event.target.closest(".naming").querySelector("button:is([name=name], [name=fetch])"));
    return;
  }
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey && box()?.offsetParent) {
    event.preventDefault();
    box().focus();
  } else if (event.key === "Escape") {
    leave(event);
  } else if ((event.key === "ArrowRight" || event.key === "ArrowLeft") && event.target.matches?.("a.cite")) {
    const links = citations();
    const next = links[links.indexOf(event.target) + (event.key === "ArrowRight" ? 1 : -1)];
    if (next) {
      event.preventDefault();
      next.focus();
    }
  }
});

function leave(event) {
  const menu = find("details.menu[open]");
  if (menu) {
    menu.removeAttribute("open");
    menu.querySelector("summary").focus();
  } else if (find(".streaming")) {
    find("#stop").click();
  } else if (editing) {
    editing = false;
    say("");
    trigger("act", { name: "leave", value: "", text: "" });
  } else if (event.target === box()) {
    box().blur();
  }
}

const obey = {
  address({ id }) {
    const address = new URL(location);
    const before = address.searchParams.get("talk");
    if (before && before !== id) followed = null;
    if (id) address.searchParams.set("talk", id);
    else address.searchParams.delete("talk");
    address.hash = "";
    history.replaceState(null, "", address);
    editing = false;
  },
  sent() {
    editing = false;
    followed = null;
    say("");
    stayAtEnd = true;
  },
  notice({ text, is_error }) {
    say(text, is_error);
  },
  edit({ text }) {
    editing = true;
    say(text);
    box().focus();
  },
  top({ id }) {
    find(`#${id}`).scrollTo({ top: 0 });
    find(`#${id}`).scrollIntoView({ block: "nearest" });
  },
  file({ name, text }) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    say(`${name} is saved.`);
  },
  link({ path, text }) {
    return obey.copy({ copied: new URL(path, location.origin + location.pathname).href, text });
  },
  async copy({ copied, text }) {
    try {
      await navigator.clipboard.writeText(copied);
    } catch {
      copyTheOldWay(copied); // without encryption or permission, a browser gives no access to the clipboard
    }
    say(text);
  },
};

function copyTheOldWay(text) {
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

watch("value", () => obey[props.value?.kind]?.(props.value));

// A conversation stays scrolled to its end while it grows, unless the reader has scrolled away. Other parts of the page
// may not exist yet when this runs, so elements are looked up when they are needed.
let stayAtEnd = true;
function onScroll({ target }) {
  if (target.id === "talking") stayAtEnd = target.scrollHeight - target.scrollTop - target.clientHeight < 80;
}
document.addEventListener("scroll", onScroll, true);

// The field in which the reader names what should have answered.
function furnish(place) {
  const field = document.createElement("input");
  field.type = "text";
  field.maxLength = 2000;
  const hint = place.matches(".names") ? "1706.03762, or words" : "A title, or a sentence of an abstract";
  field.placeholder = field.ariaLabel = hint;
  place.append(field);
}

// Example questions are looked for while the page is open already.
let looking = 0;
function lookForExamples() {
  if (looking || !find(".welcome .finding")) return;
  looking = setTimeout(() => {
    looking = 0;
    if (!find(".welcome .finding") || find(".streaming")) return;
    trigger("act", { name: "examples", value: "", text: "" });
    lookForExamples(); // also where the reply changes nothing on the screen
  }, 1500);
}

new MutationObserver(() => {
  lookForExamples();
  document.querySelectorAll(".naming .meant:empty").forEach(furnish);
  const talking = find("#talking");
  if (talking && stayAtEnd) talking.scrollTop = talking.scrollHeight;
  refocus();
  markFollowed();
}).observe(document.body, { childList: true, subtree: true });

// Light, dark, or as the system is set; remembered by this browser.
function paint(theme) {
  const dark = theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.body.classList.toggle("dark", dark);
}
document.addEventListener("change", ({ target }) => {
  if (target.name !== "theme") return;
  localStorage.setItem("theme", target.value);
  paint(target.value);
});
if (localStorage.getItem("theme")) paint(localStorage.getItem("theme"));

// A button or citation whose part of the page was replaced has lost the focus: give it to its successor.
function refocus() {
  if (!last || document.activeElement !== document.body) return;
  if (last.hash) {
    const link = citations()[last.place]; // of a growing answer it leads to the paper, later to a sentence of it
    if (link?.hash.startsWith(last.hash)) link.focus({ preventScroll: true });
    return;
  }
  const { name, value } = last;
  const again = [...document.querySelectorAll("button.act")].find((each) => each.name === name && each.value === value);
  const field = name === "name" ? again?.closest(".naming").querySelector("input") : null;
  (field ?? again)?.focus();
}

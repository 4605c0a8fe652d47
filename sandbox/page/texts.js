// A Telegram text and its entities as DOM nodes. Foreign text only ever becomes text nodes.
// https://core.telegram.org/bots/api#messageentity counts in UTF-16 units, as JavaScript does.

const TAGS = {
  bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", pre: "pre",
  blockquote: "blockquote", expandable_blockquote: "blockquote", spoiler: "span",
};

export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

// What a person may tap in a text: `onCommand(text)` sends it, `onCode(text)` takes it over into the input.
export function formatted(text, entities, taps) {
  const whole = document.createDocumentFragment();
  const outerFirst = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  fill(whole, text, { start: 0, end: text.length }, outerFirst, taps);
  return whole;
}

function fill(parent, text, range, entities, taps) {
  let at = range.start;
  for (let next = 0; next < entities.length;) {
    const entity = entities[next];
    const end = Math.min(entity.offset + entity.length, range.end);
    let after = next + 1;
    while (after < entities.length && entities[after].offset < end) after += 1;
    const element = elementOf(entity, text.slice(entity.offset, end), taps);
    fill(element, text, { start: entity.offset, end }, entities.slice(next + 1, after), taps);
    parent.append(text.slice(at, entity.offset), element);
    [at, next] = [end, after];
  }
  parent.append(text.slice(at, range.end));
}

function elementOf(entity, marked, taps) {
  if (entity.type === "bot_command") return tappable(make("span"), () => taps.onCommand(marked));
  if (entity.type === "url" || entity.type === "text_link") return link(entity.url ?? marked);
  const element = make(TAGS[entity.type] ?? "span");
  if (entity.type === "spoiler") Object.assign(element, { className: "spoiler", tabIndex: 0 });
  if (entity.type !== "code") return element;
  element.title = "Take this into the message";
  return tappable(element, () => taps.onCode(marked));
}

export function link(address) {
  const url = address.includes("://") ? address : `https://${address}`;
  if (!/^https?:\/\//i.test(url)) return make("span");
  return make("a", { href: url, target: "_blank", rel: "noopener noreferrer" });
}

// Not a <button>: that would not break across lines.
function tappable(element, action) {
  element.classList.add("tappable");
  element.tabIndex = 0;
  element.setAttribute("role", "button");
  element.addEventListener("click", action);
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    action();
  });
  return element;
}

/** Files made from the data in the page, and links to the files beside it. */
import { angleIsGuess, degreesAt, STATES } from "viewer/clip";
import { find, make } from "viewer/dom";

const MADE = [
  ["joints.csv", "Joints in the world: metres, y up", jointsCsv],
  ["angles.csv", "Joint angles: degrees", anglesCsv],
  ["actions.csv", "Actions: seconds", actionsCsv],
  ["viewer.json", "All of this as JSON", everything],
];

export function listDownloads(clip) {
  const stem = clip.name.replace(/[^\p{L}\p{N} ._-]+/gu, "_").replace(/^\.+/, "") || "video";
  find("#made").append(...MADE.map(([name, about, write]) => item(madeButton(`${stem}-${name}`, () => write(clip)), about)));
  find("#beside").hidden = !clip.files.length;
  find("#beside ul").append(...clip.files.map(({ url, name, about }) => item(make("a", { href: url, download: "" }, name), about)));
  const thinned = `This page holds every ${clip.step}th of ${clip.frames} frames, to stay small. poses3d.csv has all of them.`;
  find("#thinned").textContent = clip.step > 1 ? thinned : "";
}

function item(link, about) {
  return make("li", {}, link, make("span", {}, about));
}

function madeButton(name, write) {
  const button = make("button", { type: "button", class: "link" }, name);
  button.onclick = () => save(name, write());
  return button;
}

function save(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Every row of every person's poses, with its frame. */
function* rows(clip) {
  for (const person of clip.people) {
    for (let row = 0; row < person.length; row++) yield { person, row, frame: person.first + row };
  }
}

function jointsCsv(clip) {
  const lines = [["person", "frame", "time", "joint", "x", "y", "z", "seen"]];
  for (const { person, row, frame } of rows(clip)) {
    person.joints.forEach((joint, index) => {
      const place = person.point(row, index, {}) ?? { x: "", y: "", z: "" };
      const seen = STATES[person.state(row, index)] ?? "";
      lines.push([person.id, clip.frameNumber(frame), time(clip, frame), joint, place.x, place.y, place.z, seen]);
    });
  }
  return csv(lines);
}

function anglesCsv(clip) {
  const lines = [["person", "frame", "time", "angle", "side", "degrees", "guess"]];
  for (const { person, row, frame } of rows(clip)) {
    for (const angle of person.angles) {
      const degrees = degreesAt(angle, row);
      const cells = isNaN(degrees) ? ["", ""] : [degrees, Number(angleIsGuess(angle, row))];
      lines.push([person.id, clip.frameNumber(frame), time(clip, frame), angle.name, angle.side, ...cells]);
    }
  }
  return csv(lines);
}

function actionsCsv(clip) {
  const lines = [["person", "start", "end", "label", "probability"]];
  for (const person of clip.people) {
    for (const action of person.actions) lines.push([person.id, action.start, action.end, action.label, action.probability]);
  }
  return csv(lines);
}

function everything(clip) {
  const people = clip.people.map((person) => ({
    id: person.id,
    joints: person.joints ?? [],
    frames: Array.from({ length: person.length }, (_, row) => clip.frameNumber(person.first + row)),
    points: perRow(person, (row) => person.joints.map((_, joint) => coordinates(person.point(row, joint, {})))),
    seen: perRow(person, (row) => person.joints.map((_, joint) => STATES[person.state(row, joint)] ?? null)),
    angles: (person.angles ?? []).map((angle) => ({
      name: angle.name,
      side: angle.side,
      degrees: perRow(person, (row) => (isNaN(degreesAt(angle, row)) ? null : degreesAt(angle, row))),
    })),
    actions: person.actions,
  }));
  const video = { name: clip.name, width: clip.size[0], height: clip.size[1], frames: clip.frames };
  return JSON.stringify({ video, step: clip.step, times: [...clip.times], people });
}

function perRow(person, value) {
  return Array.from({ length: person.length }, (_, row) => value(row));
}

function coordinates(place) {
  return place && [place.x, place.y, place.z];
}

function time(clip, frame) {
  return Number(clip.times[frame].toFixed(6));
}

/** Lines of cells as RFC 4180 has them. */
function csv(lines) {
  const cell = (value) => (/[",\r\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value);
  return lines.map((cells) => cells.map(cell).join(",")).join("\n") + "\n";
}

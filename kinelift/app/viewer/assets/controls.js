/** The buttons, the time slider and the dialogs. */
import { clockTime, find, findAll, icon, make } from "viewer/dom";
import { SPEEDS } from "viewer/keys";

export function connectControls(clip, state, player) {
  connectPlayback(clip, state, player);
  connectToggles(state);
  connectSpeed(state);
  connectSound(state);
  connectTheme(state);
  for (const [button, dialog] of [["#open-downloads", "#downloads"], ["#open-help", "#help"]]) {
    find(button).onclick = () => find(dialog).showModal();
  }
  for (const dialog of findAll("dialog")) dialog.onclick = (event) => event.target === dialog && dialog.close();
  for (const button of findAll("button, label.button")) {
    button.addEventListener("mousedown", (event) => event.preventDefault()); // a click leaves the keys where they were
  }
}

function connectPlayback(clip, state, player) {
  const [play, scrub, clock] = [find("#play"), find("#scrub"), find("#clock")];
  play.onclick = () => player.toggle();
  for (const button of findAll("[data-step]")) button.onclick = () => player.step(Number(button.dataset.step));
  scrub.max = clip.duration;
  scrub.oninput = () => player.seek(Number(scrub.value));
  state.watch(["playing"], ({ playing }) => {
    play.replaceChildren(icon(playing ? "pause" : "play"));
    play.setAttribute("aria-label", playing ? "Pause" : "Play");
  });
  state.watch(["frame"], ({ frame }) => {
    const time = clip.times[frame] ?? 0;
    scrub.value = time;
    scrub.style.setProperty("--share", clip.duration ? time / clip.duration : 0);
    scrub.setAttribute("aria-valuetext", `${clockTime(time)}, frame ${clip.frameNumber(frame)}`);
    const number = make("small", {}, `frame ${clip.frameNumber(frame)}`);
    clock.replaceChildren(make("b", {}, clockTime(time)), ` / ${clockTime(clip.duration)}`, number);
  });
}

function connectToggles(state) {
  for (const button of findAll("[data-toggle]")) {
    const name = button.dataset.toggle;
    button.onclick = () => state.toggle(name);
    state.watch([name], (values) => button.setAttribute("aria-pressed", values[name]));
  }
  for (const button of findAll("[data-mode]")) {
    button.onclick = () => state.set({ mode: button.dataset.mode });
    state.watch(["mode"], ({ mode }) => button.setAttribute("aria-pressed", mode === button.dataset.mode));
  }
}

function connectSpeed(state) {
  const speeds = find("#speed");
  speeds.append(...SPEEDS.map((speed) => make("option", { value: speed }, `${speed}×`)));
  speeds.onchange = () => state.set({ speed: Number(speeds.value) });
  state.watch(["speed"], ({ speed }) => (speeds.value = speed));
}

function connectSound(state) {
  find("#mute").onclick = () => state.toggle("muted");
  state.watch(["muted"], ({ muted }) => {
    find("#video video").muted = muted;
    find("#mute").replaceChildren(icon(muted ? "muted" : "sound"));
    find("#mute").setAttribute("aria-pressed", !muted);
  });
}

function connectTheme(state) {
  find("#theme").onclick = () => state.set({ theme: state.get("theme") === "dark" ? "light" : "dark" });
  state.watch(["theme"], ({ theme }) => (document.documentElement.dataset.theme = theme));
}

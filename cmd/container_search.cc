#include "cmd/container_search.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/text.h"
#include "engines/evidence.h"

namespace nsctl::cmd {
namespace {

using engines::Container;
using engines::Engine;

constexpr size_t kMinIdDigits = 12;
constexpr size_t kMostListed = 10;

// How well a container fits what was asked for: the better the higher. Who owns a container can run
// an engine in it, or a process that looks like an engine's helper, and call containers whatever
// they like: these are meant only where what was asked for says so. So can any user, whose
// containers give way to the host's.
enum class Fit { kNone, kUnsaid, kForeignService, kForeign, kService, kName };

// One way in which a container is known: its own, or another engine's view of it.
struct Face {
  const std::string& engine;
  Engine::Type type;
  const std::string& id;
  const std::string& name;
  const std::string& native_namespace;
  // HelperTypeOf.
  std::string helper_type = "";
};

std::vector<Face> FacesOf(const ContainerLists& lists, const Container& container) {
  const Engine* const engine = EngineOf(lists, container);
  std::vector<Face> faces = {
      {container.engine(), engine == nullptr ? Engine::unspecified : engine->type(), container.id(),
       container.name(), container.native_namespace(), HelperTypeOf(lists, container)}};
  for (const engines::View& view : container.views()) {
    faces.push_back(
        {view.engine(), view.type(), view.id(), view.name(), view.native_namespace(), ""});
  }
  return faces;
}

bool IsIdPrefix(absl::string_view word, absl::string_view id) {
  return word.size() >= kMinIdDigits && absl::StartsWith(id, word);
}

class Searcher {
 public:
  explicit Searcher(const ContainerLists& lists) : lists_(lists) {}

  // `words`: stored text.
  absl::StatusOr<const Container*> Find(const std::vector<std::string>& words,
                                        const std::string& spelling) const {
    std::vector<const Container*> found;
    Ranked ranked(Fit::kUnsaid, false);
    for (const Container& container : lists_.containers) {
      const Ranked fit = FitOf(container, words);
      if (fit < ranked) continue;
      if (fit > ranked) found.clear();
      ranked = fit;
      found.push_back(&container);
    }
    const Fit best = ranked.first;
    const auto is_dead = [](const Container* one) { return one->pid() == 0; };
    if (!absl::c_all_of(found, is_dead)) {
      found.erase(std::remove_if(found.begin(), found.end(), is_dead), found.end());
    }
    if (found.empty()) return NotFound(spelling);
    if (best == Fit::kUnsaid) return Unsaid(spelling, words, *found.front());
    if (IsForeign(best) && SilentOne(words) != nullptr)
      return Withheld(spelling, words, *found.front());
    if (found.size() > 1) return Ambiguous(spelling, found);
    return found.front();
  }

  const Container* FindByEvidence(const std::vector<std::string>& words) const {
    for (const Engine& engine : lists_.engines) {
      if (!IsSilent(engine, words)) continue;
      const Container* const found = FindByEvidence(words, engine);
      if (found != nullptr) return found;
    }
    return nullptr;
  }

  bool IsOnlyForeign(const std::vector<std::string>& words, const Container& found) const {
    return IsForeign(FitOf(found, words).first);
  }

  Doubt DoubtAbout(const std::vector<std::string>& words, const Container& found) const {
    const bool is_id = absl::c_any_of(FacesOf(lists_, found), [&](const Face& face) {
      return IsIdPrefix(words.back(), face.id);
    });
    const Engine* const silent = is_id ? nullptr : SilentOne(words);
    if (silent == nullptr) return {};
    const bool has_rival = absl::c_any_of(lists_.containers, [&](const Container& one) {
      const Engine* const engine = EngineOf(lists_, one);
      return engine != nullptr && engine->type() == Engine::evidence &&
             engine->parent_container().empty() && !one.foreign() && one.pid() != found.pid() &&
             (one.name() == words.back() || one.id() == words.back());
    });
    return {
        .text = absl::StrCat(base::TerminalText(silent->key()), " did not tell its containers (",
                             engines::StateName(silent->state()), "), and ",
                             has_rival ? "seems to" : "may", " have another one of that name"),
        .instead = base::TerminalText(SayKey(found)),
        .has_rival = has_rival};
  }

 private:
  // What engines call it of the type that is nearest to the user is before what those below do.
  using Ranked = std::pair<Fit, bool>;

  // What the host's own shows, and engines of that type leave. All else of the name makes it
  // doubtful; an id is the host's.
  const Container* FindByEvidence(const std::vector<std::string>& words,
                                  const Engine& silent) const {
    std::vector<std::string> said = words;
    said.erase(std::remove_if(said.begin(), said.end() - 1,
                              [&](const auto& word) { return IsEngineWord(word, silent); }),
               said.end() - 1);
    said.insert(said.end() - 1, engines::TypeName(Engine::evidence));
    const Container* found = nullptr;
    bool has_rival = false;
    for (const Container& container : lists_.containers) {
      const Engine* const engine = EngineOf(lists_, container);
      if (engine == nullptr || engine->type() != Engine::evidence) continue;
      if (!engine->parent_container().empty()) continue;
      const Fit fit = FitOf(container, said).first;
      if (fit != Fit::kName && fit != Fit::kForeign) continue;
      if (container.foreign() || !MayBeOf(silent, container)) {
        has_rival = true;
        continue;
      }
      if (found != nullptr) return nullptr;
      found = &container;
    }
    const bool is_id = found != nullptr && IsIdPrefix(words.back(), found->id());
    return has_rival && !is_id ? nullptr : found;
  }

  // Whether what it is known by is what engines of that type leave; others may be anybody's.
  static bool MayBeOf(const Engine& engine, const Container& container) {
    struct Helper {
      const char* name;
      std::vector<Engine::Type> types;
    };
    static const std::vector<Helper>* const kHelpers = new std::vector<Helper>{
        {"containerd-shim", {Engine::docker, Engine::containerd, Engine::cri}},
        {"conmon", {Engine::podman, Engine::crio, Engine::cri}},
        {"lxc-monitor", {Engine::lxc, Engine::lxd, Engine::incus}},
        {"systemd-nspawn", {Engine::nspawn}},
    };
    const std::string* const source =
        engines::FindLabel(container.annotations(), engines::kEvidenceAnnotation);
    if (source == nullptr) return true;
    const auto helper =
        absl::c_find_if(*kHelpers, [&](const Helper& one) { return one.name == *source; });
    return helper == kHelpers->end() || absl::c_linear_search(helper->types, engine.type());
  }

  static bool IsForeign(Fit fit) { return fit == Fit::kForeign || fit == Fit::kForeignService; }

  Ranked FitOf(const Container& container, const std::vector<std::string>& words) const {
    const std::string whole = absl::StrJoin(words, "/");
    Ranked best(Fit::kNone, false);
    const std::vector<Face> faces = FacesOf(lists_, container);
    for (const Face& face : faces) {
      Fit fit = Fit::kNone;
      const std::string& word = words.back();
      bool fits = true;
      for (size_t i = 0; i + 1 < words.size(); ++i) fits &= IsAround(words[i], container, face);
      const bool is_whole = face.name == whole || face.id == whole;
      if (is_whole ||
          (fits && (face.name == word || face.id == word || IsIdPrefix(word, face.id)))) {
        fit = Fit::kName;
      } else if (fits && container.project().service() == word) {
        fit = Fit::kService;
      }
      // A sandbox has its pod's name, which its container often has too.
      const bool is_id = face.id == word || IsIdPrefix(word, face.id);
      if (fit == Fit::kName && container.sandbox() && !is_id) fit = Fit::kService;
      if (fit != Fit::kNone && !IsSaid(face, words)) fit = Fit::kUnsaid;
      const Engine* const engine = FindEngine(face.engine);
      const bool gives_way =
          container.foreign() ||
          (engine != nullptr && (IsForeign(*engine) || IsSaidByHelper(face, words)));
      if (gives_way && !IsKeySaid(face, words)) {
        if (fit == Fit::kName) fit = Fit::kForeign;
        if (fit == Fit::kService) fit = Fit::kForeignService;
      }
      best = std::max(best, Ranked(fit, face.type == faces.front().type));
    }
    return best;
  }

  const Engine* FindEngine(const std::string& key) const {
    const auto found =
        absl::c_find_if(lists_.engines, [&](const Engine& engine) { return engine.key() == key; });
    return found == lists_.engines.end() ? nullptr : &*found;
  }

  // The container that the engine runs in; nullptr where that is none or unknown.
  const Container* OuterOf(const Engine& engine) const {
    if (engine.parent_container().empty()) return nullptr;
    const auto found = absl::c_find_if(lists_.containers, [&](const Container& one) {
      return one.engine() == engine.parent() && one.id() == engine.parent_container();
    });
    return found == lists_.containers.end() ? nullptr : &*found;
  }

  static bool Names(const std::string& word, const Container& container) {
    return !word.empty() && (word == container.name() || IsIdPrefix(word, container.id()));
  }

  // Who owns the container around an engine chose its name as well.
  static bool IsForeign(const Engine& engine) {
    return engine.foreign() || !engine.parent_container().empty();
  }

  // One of the words before the last is its engine's key, not its type alone.
  bool IsKeySaid(const Face& face, const std::vector<std::string>& words) const {
    const std::string type = engines::TypeName(face.type);
    return std::any_of(words.begin(), words.end() - 1, [&](const std::string& word) {
      return word != type && word != face.helper_type && IsEngine(word, face);
    });
  }

  // One of the words before the last is the type of engine that its helper process shows, none that
  // it is known by evidence alone: it gives way to what such an engine tells.
  static bool IsSaidByHelper(const Face& face, const std::vector<std::string>& words) {
    const auto is_said = [&](const std::string& type) {
      return std::find(words.begin(), words.end() - 1, type) != words.end() - 1;
    };
    return !face.helper_type.empty() && is_said(face.helper_type) &&
           !is_said(engines::TypeName(face.type));
  }

  // The words before the last name what one must say to mean it: the container around its engine,
  // or that it is known by evidence alone.
  bool IsSaid(const Face& face, const std::vector<std::string>& words) const {
    if (IsKeySaid(face, words)) return true;
    const Engine* const engine = FindEngine(face.engine);
    const auto is_said = [&](const auto& says) {
      return std::any_of(words.begin(), words.end() - 1, says);
    };
    const std::string type = engines::TypeName(face.type);
    if (engine == nullptr || engine->parent_container().empty()) {
      return face.type != Engine::evidence ||
             is_said([&](const std::string& word) { return word == type; }) ||
             IsSaidByHelper(face, words);
    }
    const Container* const outer = OuterOf(*engine);
    return outer != nullptr &&
           is_said([&](const std::string& word) { return Names(word, *outer); });
  }

  // Whether `word` stands for the engine of the face.
  bool IsEngine(const std::string& word, const Face& face) const {
    const Engine* const engine = FindEngine(face.engine);
    if (engine != nullptr && IsEngineWord(word, *engine)) return true;
    return word == engines::TypeName(face.type) || word == face.engine ||
           (!face.helper_type.empty() && word == face.helper_type);
  }

  bool IsAround(const std::string& word, const Container& container, const Face& face) const {
    if (word.empty()) return false;
    if (IsEngine(word, face)) return true;
    if (word == face.native_namespace || word == container.project().project()) return true;
    const Engine* const engine = FindEngine(face.engine);
    const Container* const outer = engine == nullptr ? nullptr : OuterOf(*engine);
    if (outer != nullptr && Names(word, *outer)) return true;
    const engines::Pod* const pod = PodOf(lists_, container);
    return pod != nullptr && (word == pod->name() || word == pod->kubernetes_namespace() ||
                              IsIdPrefix(word, pod->id()));
  }

  // An engine of the host that has not told its containers, and may have one of the name too.
  bool IsSilent(const Engine& engine, const std::vector<std::string>& words) const {
    const bool is_silent = engine.state() == Engine::connecting ||
                           engine.state() == Engine::syncing || engine.state() == Engine::degraded;
    if (!is_silent || engine.foreign() || !engine.parent_container().empty()) return false;
    return std::none_of(words.begin(), words.end() - 1, [&](const auto& word) {
      const bool is_key = absl::c_any_of(
          lists_.engines, [&](const Engine& one) { return IsEngineWord(word, one); });
      return is_key && !IsEngineWord(word, engine);
    });
  }

  const Engine* SilentOne(const std::vector<std::string>& words) const {
    const auto found = absl::c_find_if(
        lists_.engines, [&](const Engine& engine) { return IsSilent(engine, words); });
    return found == lists_.engines.end() ? nullptr : &*found;
  }

  absl::Status Unsaid(const std::string& spelling, const std::vector<std::string>& words,
                      const Container& container) const {
    const Engine* const engine = FindEngine(container.engine());
    const Container* const outer = engine == nullptr ? nullptr : OuterOf(*engine);
    if (outer == nullptr && SilentOne(words) != nullptr)
      return Withheld(spelling, words, container);
    const std::string said = outer == nullptr ? engines::TypeName(Engine::evidence) : outer->name();
    const bool is_evidence = engine == nullptr || engine->type() == Engine::evidence;
    const std::string where =
        outer == nullptr ? "no engine tells of it, but its processes look like one's"
        : is_evidence    ? absl::StrCat("there is one in the container ", outer->name())
                         : absl::StrCat("an engine in the container ", outer->name(), " has one");
    return absl::NotFoundError(
        base::TerminalText(absl::StrCat("no container ", spelling, " of this host's engines; ",
                                        where, ": write ", said, "/", container.name())));
  }

  // What a foreign engine tells is not taken for what one of the host's may.
  absl::Status Withheld(const std::string& spelling, const std::vector<std::string>& words,
                        const Container& container) const {
    const Engine& silent = *SilentOne(words);
    return absl::NotFoundError(absl::StrCat(
        "no container ", base::TerminalText(spelling), " of this host's engines, of which ",
        base::TerminalText(silent.key()), " did not tell (", engines::StateName(silent.state()),
        "); ", DescribeEngineOf(lists_, container), " has one: write ",
        base::TerminalText(SayKey(container))));
  }

  // "docker:12"
  static std::string ShortKey(const Container& container) {
    return container.engine().substr(0, container.engine().find('@'));
  }

  // "docker:12/web"
  static std::string SayKey(const Container& container) {
    return absl::StrCat(ShortKey(container), "/", container.name());
  }

  absl::Status NotFound(const std::string& spelling) const {
    std::vector<std::string> silent;
    for (const Engine& engine : lists_.engines) {
      if (engine.state() == Engine::ready || engine.state() == Engine::gone) continue;
      silent.push_back(absl::StrCat(
          base::TerminalText(engine.key()), " (", engines::StateName(engine.state()),
          engine.reason().empty() ? "" : ": ", base::TerminalText(engine.reason()), ")"));
    }
    std::string why;
    if (lists_.engines.empty()) {
      why = ": no container engine was found";
    } else if (silent.empty()) {
      why = ": none that runs is called so";
    } else {
      why = absl::StrCat("; not all was told by ", absl::StrJoin(silent, ", "));
    }
    return absl::NotFoundError(absl::StrCat("no container ", base::TerminalText(spelling), why));
  }

  absl::Status Ambiguous(const std::string& spelling,
                         const std::vector<const Container*>& found) const {
    std::vector<std::string> names;
    for (const Container* container : found) {
      if (names.size() == kMostListed) {
        names.push_back(absl::StrCat("and ", found.size() - kMostListed, " more"));
        break;
      }
      names.push_back(Describe(*container));
    }
    return absl::InvalidArgumentError(absl::StrCat(base::TerminalText(spelling), " means ",
                                                   found.size(),
                                                   " containers: ", absl::StrJoin(names, ", ")));
  }

  // With what tells it from the others of its name.
  std::string Describe(const Container& container) const {
    const ContainerReference reference = ReferenceTo(lists_, container);
    std::string text = engines::TypeName(reference.engine_type());
    const auto is_of_type = [&reference](const Engine& engine) {
      return engine.type() == reference.engine_type();
    };
    if (absl::c_count_if(lists_.engines, is_of_type) > 1) text = ShortKey(container);
    const std::string* last = nullptr;
    for (const std::string* part :
         {&reference.native_namespace(), &reference.project(), &reference.pod()}) {
      // A project of the engine's own is the namespace.
      if (!part->empty() && (last == nullptr || *part != *last)) absl::StrAppend(&text, "/", *part);
      last = part;
    }
    absl::StrAppend(&text, "/", reference.name(), " (", reference.id().substr(0, kMinIdDigits));
    if (container.pid() != 0) absl::StrAppend(&text, ", PID ", container.pid());
    return base::TerminalText(absl::StrCat(text, ")"));
  }

  const ContainerLists& lists_;
};

// What `target` consists of, as stored text.
std::vector<std::string> WordsOf(const Target& target) {
  if (const auto* const id = std::get_if<ContainerIdTarget>(&target)) return {id->id_prefix};
  const auto& named = std::get<ContainerTarget>(target);
  std::vector<std::string> words;
  if (!named.engine.empty()) words.push_back(base::EncodeText(named.engine));
  for (const absl::string_view word : absl::StrSplit(named.name, '/')) {
    words.push_back(base::EncodeText(word));
  }
  return words;
}

}  // namespace

bool IsContainer(const Target& target) {
  return std::holds_alternative<ContainerTarget>(target) ||
         std::holds_alternative<ContainerIdTarget>(target);
}

absl::StatusOr<const Container*> FindContainer(const ContainerLists& lists, const Target& target) {
  return Searcher(lists).Find(WordsOf(target), ToString(target));
}

bool IsOnlyForeign(const ContainerLists& lists, const Target& target, const Container& found) {
  return Searcher(lists).IsOnlyForeign(WordsOf(target), found);
}

std::string DescribeEngineOf(const ContainerLists& lists, const Container& container) {
  const Engine* const engine = EngineOf(lists, container);
  if (engine == nullptr) return base::TerminalText(container.engine());
  if (container.foreign() && container.told_by_uid() != 0) {
    return base::TerminalText(absl::StrCat(engine->key(), " of user ", container.told_by_uid()));
  }
  if (engine->has_uid() && engine->uid() != 0) {
    return base::TerminalText(absl::StrCat(engine->key(), " of user ", engine->uid()));
  }
  // What a helper process of the host's shows.
  if (!engine->foreign() && !container.foreign()) return base::TerminalText(engine->key());
  return base::TerminalText(absl::StrCat(engine->key(), " in namespaces of its own"));
}

Doubt DoubtAbout(const ContainerLists& lists, const Target& target, const Container& found) {
  return Searcher(lists).DoubtAbout(WordsOf(target), found);
}

const Container* FindByEvidence(const ContainerLists& lists, const Target& target) {
  return Searcher(lists).FindByEvidence(WordsOf(target));
}

}  // namespace nsctl::cmd

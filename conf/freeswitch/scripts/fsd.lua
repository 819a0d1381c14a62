-- fsd status, fsd queue: what fs-dialer has in this switch, told by the switch alone. Made by fs-dialer (switch install).
--
--   fs_cli> lua fsd.lua status        callers in queues, legs in flows, kept rows, and when the daemon was last heard
--   fs_cli> lua fsd.lua queue         the callers in queues one by one
--
-- With `alias stickyadd fsd lua fsd.lua`, which `switch install --reload` sets, `fsd status` is enough. No daemon is asked: it may be dead.
--
-- Nothing that a caller's telephone says is run, printed or put into a command: of a leg only its uuid is used, where it looks like one, and our own variables,
-- of which only letters, digits and a few signs are printed. Nothing is changed. A renewed leg carries a timer of 28 s; so the newest timer of a leg that has
-- waited longer than that tells when the daemon last renewed.

local RENEWED_S = 28
local KEPT = "fsd_kept"
local api = freeswitch.API()

local function ask(command, words)
  return api:execute(command, words or "") or ""
end

local function plain(text)
  return (tostring(text or ""):gsub("[^%w%._@+-]", "?")):sub(1, 100)
end

local function is_uuid(text)
  return type(text) == "string" and #text <= 100 and text:match("^[%w@%._-]+$") ~= nil
end

local function rows(what)
  local told = ask("show", what .. " as json")
  if not told:match("^%s*{") then return {} end
  local good, read = pcall(function() return freeswitch.JSON():decode(told) end)
  if not good or type(read) ~= "table" or type(read.rows) ~= "table" then return {} end
  local found = {}
  for _, row in pairs(read.rows) do
    if type(row) == "table" then found[#found + 1] = row end
  end
  return found
end

local function variable(uuid, name)
  local said = ask("uuid_getvar", uuid .. " " .. name):gsub("%s+$", "")
  if said == "_undef_" or said:match("^%-ERR") then return "" end
  return said
end

local function seconds(text)
  return math.floor(tonumber(text) or 0)
end

local function legs()
  local now, queued, flows, fallback = seconds(ask("strepoch")), {}, {}, 0
  for _, row in ipairs(rows("channels")) do
    if is_uuid(row.uuid) then
      local queue = row.context == "fsd_queue" and plain(variable(row.uuid, "fsd_queue")) or ""
      if queue ~= "" then
        local since = seconds(variable(row.uuid, "fsd_since"))
        queued[#queued + 1] = {
          uuid = row.uuid,
          queue = queue,
          waited = since > 0 and now - since or 0,
          met = variable(row.uuid, "last_bridge_to") ~= "",
          fallback = variable(row.uuid, "fsd_fallback") == "true",
        }
      elseif row.context == "fsd_ivr" then
        local flow = plain(row.dest):match("^([%w_-]+%.%x%x%x%x%x%x%x%x)") or "?"
        flows[flow] = (flows[flow] or 0) + 1
      elseif row.context == "fsd" then
        fallback = fallback + 1
      end
    end
  end
  table.sort(queued, function(a, b) return a.waited > b.waited end)
  return now, queued, flows, fallback
end

local function heard(now, queued)
  -- Seconds since the newest renewal, of legs that no extension of ours can have armed; nil = there is none to tell by.
  local waiting, newest = {}, nil
  for _, leg in ipairs(queued) do
    if not leg.met and leg.waited > RENEWED_S then waiting[leg.uuid] = true end
  end
  for _, task in ipairs(rows("tasks")) do
    local runs = seconds(task.task_runtime)
    if waiting[task.task_group] and tostring(task.task_desc):match("transfer") and runs > (newest or 0) then newest = runs end
  end
  return newest and math.max(0, RENEWED_S - (newest - now)), next(waiting) ~= nil
end

local function known(context, pattern)
  local found, count = {}, 0
  for name in ask("xml_locate", "dialplan context name " .. context):gmatch('<extension name="([%w%._-]+)"') do
    local word = name:match(pattern)
    if word and not found[word] then found[word], count = true, count + 1 end
  end
  return count
end

local function status(write)
  local now, queued, flows, fallback = legs()
  local waiting, talking, alone, longest, by_flow = 0, 0, 0, 0, {}
  for _, leg in ipairs(queued) do
    if leg.fallback then alone = alone + 1
    elseif leg.met then talking = talking + 1
    else waiting, longest = waiting + 1, math.max(longest, leg.waited) end
  end
  local in_flows = 0
  for flow, count in pairs(flows) do
    in_flows = in_flows + count
    by_flow[#by_flow + 1] = flow .. " " .. count
  end
  table.sort(by_flow)
  write(string.format("installed       flows %d, queues %d\n", known("fsd_ivr", "^([%w_-]+%.%x%x%x%x%x%x%x%x)$"), known("fsd_queue", "^(.+)%.overflow$")))
  write(string.format("in queues       %d waiting%s, %d met an agent, %d in a fallback\n", waiting,
    waiting > 0 and string.format(" (the longest %d s)", longest) or "", talking, alone))
  write(string.format("in flows        %d%s\n", in_flows, in_flows > 0 and ": " .. table.concat(by_flow, ", ") or ""))
  write(string.format("in fsd_fallback %d\n", fallback))
  local kept = ask("db", "count/" .. KEPT):match("^%s*(%d+)")
  write(string.format("kept for us     %s\n", kept and kept .. " rows" or "not known: mod_db is not loaded"))
  local ago, some = heard(now, queued)
  if ago then write(string.format("daemon          renewed a leg %d s ago%s\n", ago, ago > 12 and ": it does so every 10 s, is it dead?" or ""))
  elseif some then write("daemon          nobody renews the legs that wait: it is dead\n")
  else write("daemon          not known: nobody waits long enough to tell by\n") end
end

local function queue(write)
  local _, queued = legs()
  for _, leg in ipairs(queued) do
    local state = leg.fallback and "in the fallback" or leg.met and "met an agent" or "waits"
    write(string.format("%-24s %6d s  %-16s %s\n", leg.queue, leg.waited, state, leg.uuid))
  end
  write(string.format("callers: %d\n", #queued))
end

local verbs = { status = status, queue = queue }
local verb = verbs[argv and argv[1] or "status"]
local function write(text)
  if stream then stream:write(text) else freeswitch.consoleLog("info", text) end
end
if verb then verb(write) else write("fsd status | fsd queue\n") end

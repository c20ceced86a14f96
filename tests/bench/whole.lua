-- whole.lua — GETs of random targets from a file, and what they took: wrk -s whole.lua URL -- TOKEN TARGETS-FILE
local targets, headers = {}, nil
local seeds = 0

function setup(thread)
	seeds = seeds + 1
	thread:set("seed", seeds)
end

function init(args)
	headers = { ["Authorization"] = "Bearer " .. args[1] }
	for line in io.lines(args[2]) do
		targets[#targets + 1] = line
	end
	math.randomseed(os.time() * 31 + seed)
end

function request()
	return wrk.format("GET", targets[math.random(#targets)], headers)
end

function done(summary, latency)
	local e = summary.errors
	io.write(string.format("whole %d %d %d %d %d\n", summary.requests, e.connect + e.read + e.write + e.status + e.timeout,
		latency:percentile(50), latency:percentile(95), latency:percentile(99)))
end

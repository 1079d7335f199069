---@meta fs

--- Files and folders.
---
--- Only paths in the working folder, in the folders of `fs.temporary`, in folders that parameters name and in those
--- that `--allow-write` allows can be touched. Relative paths start at the working folder.
---@class fs
local fs = {}

---@class fs.RemoveOptions
---@field recursive? boolean Also a folder with all that is in it. Default false.

--- The bytes of a file.
---
--- **Errors.** A file that does not exist, with where it was looked for; a folder, a device or a pipe; one of more than 256 MiB, for which there is `fs.lines`.
---@param path string
---@return string text
function fs.read(path) end

--- The lines of a file, without their ends, one by one.
---
--- ```lua
--- local fs = require "fs"
--- fs.write("names.txt", "a\nb\n")
--- local names = {}
--- for line in fs.lines("names.txt") do
---   names[#names + 1] = line
--- end
--- assert(table.concat(names, ",") == "a,b")
--- ```
---@param path string
---@return fun(): string? next
function fs.lines(path) end

--- Writes a file, in place of one of that name. The file appears complete or not at all.
---@param path string
---@param text string
function fs.write(path, text) end

--- Adds to the end of a file, which is made if it does not exist.
---@param path string
---@param text string
function fs.append(path, text) end

--- Whether there is a file or folder of that name.
---@param path string
---@return boolean exists
function fs.exists(path) end

--- Whether there is a folder of that name.
---@param path string
---@return boolean is_folder
function fs.is_folder(path) end

--- Size of a file.
---@param path string
---@return integer bytes
function fs.size(path) end

--- When a file was last changed.
---@param path string
---@return string time
function fs.modified(path) end

--- The names in a folder, sorted.
---@param folder? string Default the working folder.
---@return string[] names
function fs.list(folder) end

--- The paths that match a pattern, sorted.
---
--- `*` and `?` stand for any characters and any one character of a name, `[abc]` and `{a,b}` for a choice, `**` for
--- any folders, also none. Names that start with a dot are found only by patterns that do. Links that lead out of the folders
--- are passed over.
---
--- ```lua
--- local fs = require "fs"
--- fs.mkdir("data/2020")
--- fs.write("data/2020/s1_VV.tif", "")
--- fs.write("data/2020/s1_HH.tif", "")
--- assert(#fs.glob("data/**/*.tif") == 2)
--- assert(fs.glob("data/*/s1_{VV,VH}.tif")[1] == "data/2020/s1_VV.tif")
--- ```
---@param pattern string
---@return string[] paths
function fs.glob(pattern) end

--- Makes a folder and those above it; nothing happens where it exists.
---@param path string
function fs.mkdir(path) end

--- Removes a file or an empty folder.
---
--- **Errors.** A folder that is not empty, without `recursive`; the working folder itself.
---@param path string
---@param options? fs.RemoveOptions
---@return boolean removed False where there was none.
function fs.remove(path, options) end

--- Gives a file or folder another name.
---@param from string
---@param to string
function fs.rename(from, to) end

--- Copies a file. The copy appears complete or not at all.
---@param from string May lie anywhere.
---@param to string
---@return integer bytes
function fs.copy(from, to) end

--- Makes an empty folder that is removed when the script ends. Only this process and its user can look into it; it lies where `TMPDIR` says.
---
--- ```lua
--- local fs = require "fs"
--- local folder = fs.temporary()
--- fs.write(fs.join(folder, "a.txt"), "x")
--- ```
---@return string folder
function fs.temporary() end

--- The working folder.
---@return string folder
function fs.working() end

--- Parts of a path, joined. A part that starts with `/` starts anew.
---
--- ```lua
--- local fs = require "fs"
--- assert(fs.join("data", "rtc", "a.tif") == "data/rtc/a.tif")
--- ```
---@param ... string
---@return string path
function fs.join(...) end

--- The last part of a path, perhaps without a suffix.
---
--- ```lua
--- local fs = require "fs"
--- assert(fs.basename("data/rtc/a.tif") == "a.tif")
--- assert(fs.basename("data/rtc/a.tif", ".tif") == "a")
--- ```
---@param path string
---@param suffix? string
---@return string name
function fs.basename(path, suffix) end

--- The path without its last part; `.` where there is only one.
---@param path string
---@return string folder
function fs.dirname(path) end

--- What follows the last dot of a name; empty where there is none.
---
--- ```lua
--- local fs = require "fs"
--- assert(fs.extension("data/a.tar.gz") == "gz" and fs.extension("a") == "")
--- ```
---@param path string
---@return string extension
function fs.extension(path) end

return fs
